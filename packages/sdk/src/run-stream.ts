/** The events of a run, over one or more connections. */
import { type Call, type Connection, connect, type Endpoint } from './connection.ts';
import {
  ConnectionFailedError,
  PipelineApiError,
  RunFailedError,
  StreamInterruptedError,
  UnexpectedReplyError,
} from './errors.ts';
import { arrayAt, booleanAt, numberAt, objectAt, orNull, stringAt } from './fields.ts';
import { readJson } from './json.ts';
import { pause, retryWaitMs, withRetries } from './retry.ts';
import { hasEnded, parseRun, type Run } from './run.ts';
import { createSseParser, type SseEvent } from './sse-parser.ts';
import { parseTokenLogprob, type TokenLogprob } from './token-logprob.ts';

/** A token that a step of a beam search considered. */
export interface BeamCandidate {
  /** The beam that it continues: its row in this step. */
  readonly parent: number;
  readonly token: number;
  readonly text: string;
  /** Accumulated log-probability of the beam and the token. */
  readonly score: number | null;
  /** It is a beam of the next step, whose rows are the kept candidates in their order. */
  readonly kept: boolean;
}

/**
 * `run` when the run is accepted and when it has ended, `token` in between. A `run` event of a run that has not ended, after
 * tokens, means that generation has restarted: discard the earlier tokens.
 */
export type RunEvent =
  | { readonly type: 'run'; readonly run: Run }
  | {
      readonly type: 'token';
      /** Index of the returned sequence. */
      readonly index: number;
      /** The text that these tokens add, in whole characters; possibly empty. */
      readonly text: string;
      readonly tokens: readonly number[];
      /** One per token, when `logprobs` was requested. */
      readonly logprobs?: readonly TokenLogprob[];
    }
  /** With `output_beams`: what step `step` of a beam search considered, counted from 0. */
  | { readonly type: 'beams'; readonly step: number; readonly candidates: readonly BeamCandidate[] };

/**
 * The events of one run, iterable once. The request is sent when the first event is read; leaving the loop early ends the
 * request. Iterating again throws a `TypeError`.
 */
export interface RunStream extends AsyncIterable<RunEvent> {
  /**
   * The text of the first returned sequence in pieces, instead of events. Throws `RunFailedError` when the run fails, and
   * `StreamInterruptedError` when generation restarts after text was returned.
   */
  texts(): AsyncIterable<string>;
}

export interface RunStreamRequest {
  readonly endpoint: Endpoint;
  /** The request that opens the stream. */
  readonly call: Call;
  /** Id of an existing run; null when `call` creates the run. */
  readonly runId: string | null;
  /** Whether the run outlives its stream, so that a dropped connection can be resumed. */
  readonly canResume: boolean;
}

export function openRunStream(request: RunStreamRequest): RunStream {
  let isTaken = false;
  const take = (): AsyncGenerator<RunEvent, void, undefined> => {
    if (isTaken) throw new TypeError('expected a stream to be read once; use followRun, or keep the events');
    isTaken = true;
    return readEvents(request);
  };
  return {
    [Symbol.asyncIterator]: take,
    texts: () => textsOf(take()),
  };
}

async function* textsOf(events: AsyncGenerator<RunEvent, void, undefined>): AsyncGenerator<string, void, undefined> {
  let hasText = false;
  for await (const event of events) {
    if (event.type === 'run') {
      if (event.run.runState === 'failed') throw new RunFailedError(event.run);
      if (hasText && !hasEnded(event.run)) {
        const message = `run ${event.run.id} restarted after text was returned; read the events, or wait for its end`;
        throw new StreamInterruptedError(message, event.run.id, 'generation_restarted');
      }
    } else if (event.type === 'token' && event.index === 0 && event.text !== '') {
      hasText = true;
      yield event.text;
    }
  }
}

/** The events until the run has ended. Up to `maxRetries` dropped connections in a row are replaced. */
async function* readEvents(request: RunStreamRequest): AsyncGenerator<RunEvent, void, undefined> {
  const { endpoint, canResume } = request;
  const { signal } = request.call;
  let { call, runId } = request;
  let lastId = '';
  let drops = 0;
  for (;;) {
    const connection = await openWithRetries(endpoint, call);
    try {
      for await (const sent of eventsOf(connection, endpoint)) {
        lastId = sent.id;
        // Only tokens are progress: a stream that restarts again and again sends run events.
        if (sent.type === 'token' || sent.type === 'beams') drops = 0;
        const event = parseEvent(sent, runId);
        if (event === null) continue;
        if (event.type === 'run') runId = event.run.id;
        yield event;
        if (event.type === 'run' && hasEnded(event.run)) return;
      }
      throw new ConnectionFailedError(`${endpoint.url} ended the stream before the run had ended`);
    } catch (error) {
      const waitMs = drops < endpoint.maxRetries ? retryWaitMs(error, drops, Math.random()) : null;
      if (!canResume || runId === null || waitMs === null || !(error instanceof PipelineApiError)) throw error;
      drops++;
      endpoint.onRetry({ error, waitMs, retry: drops, maxRetries: endpoint.maxRetries });
      await pause(waitMs, signal);
      call = followCall(runId, lastId, signal);
    } finally {
      connection.close();
    }
  }
}

/** The request for the events of an existing run after event `lastId`. */
export function followCall(runId: string, lastId: string, signal: AbortSignal | undefined): Call {
  return {
    method: 'GET',
    path: `/v2/runs/${encodeURIComponent(runId)}/events`,
    headers: lastId === '' ? {} : { 'last-event-id': lastId },
    accept: 'text/event-stream',
    signal,
  };
}

async function openWithRetries(endpoint: Endpoint, call: Call): Promise<Connection> {
  return await withRetries({ ...endpoint, signal: call.signal }, async () => await connect(endpoint, call));
}

/** The events of a connection. */
export async function* eventsOf(connection: Connection, endpoint: Endpoint): AsyncGenerator<SseEvent, void, undefined> {
  const type = connection.reply.headers.get('content-type') ?? 'nothing';
  if (!type.startsWith('text/event-stream')) {
    throw new UnexpectedReplyError(`expected an event stream from ${endpoint.url}, got ${type}`);
  }
  const parser = createSseParser();
  for await (const text of connection.texts()) yield* parser.push(text);
}

/** Null for unknown events, which a later server may add. */
function parseEvent({ type, data }: SseEvent, runId: string | null): RunEvent | null {
  if (type !== 'run' && type !== 'token' && type !== 'beams' && type !== 'error') return null;
  const value = readJson(data);
  if (type === 'run') return { type, run: parseRun(value) };
  const fields = objectAt(value, type);
  if (type === 'error') {
    throw new StreamInterruptedError(stringAt(fields.message, 'message'), runId, stringAt(fields.code, 'code'));
  }
  if (type === 'beams') {
    const candidates = arrayAt(fields.candidates, 'candidates').map(parseBeamCandidate);
    return { type, step: numberAt(fields.step, 'step'), candidates };
  }
  return {
    type,
    index: numberAt(fields.index, 'index'),
    text: stringAt(fields.text, 'text'),
    tokens: arrayAt(fields.tokens, 'tokens').map((token) => numberAt(token, 'tokens')),
    ...(fields.logprobs === undefined
      ? {}
      : { logprobs: arrayAt(fields.logprobs, 'logprobs').map((entry) => parseTokenLogprob(entry)) }),
  };
}

/** A candidate of a result's `beams`; the events of a stream have them parsed. Throws `UnexpectedReplyError`. */
export function parseBeamCandidate(value: unknown): BeamCandidate {
  const fields = objectAt(value, 'a candidate');
  return {
    parent: numberAt(fields.parent, 'parent'),
    token: numberAt(fields.token, 'token'),
    text: stringAt(fields.text, 'text'),
    score: orNull(fields.score, (score) => numberAt(score, 'score')),
    kept: booleanAt(fields.kept, 'kept'),
  };
}
