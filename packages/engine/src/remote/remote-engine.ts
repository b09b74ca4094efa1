/**
 * An engine over a completions server in vLLM's form. Tokens are chosen there; what ends an output beyond end-of-text
 * tokens is decided here, where it has the meaning that `generate` gives it, and the request is then cancelled.
 *
 * States of a generation: **waiting** (from its arrival to the first event of its stream) → **active** → ended. A failure
 * while it waits is tried again (`RemoteServer`); one while it is active ends it, as the end of an engine's process does.
 */
import { computedTokens, DecodingError, type GenerateOutcome, type TokenReport } from '@gptj-cloud/decoding';
import { ModelError, type TokenId } from '@gptj-cloud/model';
import type { Engine, EngineInfo, GenerationEvent, GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import { TimeLimit } from '../scheduler/time-limit.ts';
import { toModelError } from '../to-model-error.ts';
import { echoBody, generationBody } from './completion-body.ts';
import { parseEcho, parseStreamPart, type RemoteUsage } from './completion-wire.ts';
import type { RemoteReply } from './http.ts';
import { RemoteFailure } from './remote-failure.ts';
import { RemoteLoad } from './remote-load.ts';
import { describeRefused, type RemoteLimits } from './remote-parameters.ts';
import { RemoteSequences } from './remote-sequences.ts';
import { ofFailure, type RemoteServer } from './remote-server.ts';
import { readServerSentEvents } from './server-sent-events.ts';
import { type SetTimer, Watchdog } from './watchdog.ts';

export interface RemoteEngineOptions {
  readonly server: RemoteServer;
  readonly info: EngineInfo & { readonly remote: RemoteLimits };
  /** The name of the model at the server. */
  readonly model: string;
  readonly hasPriorities: boolean;
  readonly tokenBytes: (token: TokenId) => Uint8Array;
  /** Longest silence within a stream. */
  readonly silenceMs: number;
  /** Of the silence. Default: `setTimeout`. */
  readonly setTimer?: SetTimer;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
}

type Report = readonly TokenReport[];

export function createRemoteEngine(options: RemoteEngineOptions): Engine {
  const { server, info, tokenBytes, silenceMs, setTimer, now = () => performance.now() } = options;
  const { vocabSize } = info.config;
  const load = new RemoteLoad(info.cacheCells);
  const stop = new AbortController();
  let closing: Promise<void> | null = null;

  /** The log-probabilities of a prompt. */
  const score = async (prompt: readonly TokenId[], top: number, signal: AbortSignal): Promise<Report> => {
    const request = { method: 'POST', path: 'v1/completions', body: echoBody(prompt, top, options), signal } as const;
    return parseEcho(await server.json(request), { prompt, topLogprobs: top, vocabSize });
  };

  async function* run(request: GenerationRequest, life: Life): AsyncGenerator<GenerationEvent> {
    const { prompt, config } = request;
    const { topLogprobs, promptLogprobs: promptTop } = config.output;
    const { continuation } = config;
    const { signal } = life;
    const scored = continuation === null ? prompt : [...prompt, ...continuation];
    const scoredTop = Math.max(promptTop ?? 0, continuation === null ? 0 : (topLogprobs ?? 0));
    const scores = promptTop === null && continuation === null ? null : await score(scored, scoredTop, signal);
    const promptLogprobs =
      promptTop === null ? undefined : trimmed(scores?.slice(0, prompt.length - 1) ?? [], promptTop);
    const sequences = new RemoteSequences(request, { tokenBytes, now });
    let usage: RemoteUsage | null = null;
    if (config.mode === 'score' || continuation !== null) {
      yield life.begin();
      if (continuation !== null) {
        const reports = topLogprobs === null ? null : trimmed(scores?.slice(prompt.length - 1) ?? [], topLogprobs);
        yield* sequences.add({ index: 0, tokens: continuation, logprobs: reports, finishReason: 'length' });
      }
    } else {
      const reply = await server.open('v1/completions', generationBody(request, options), signal);
      const watchdog = new Watchdog({
        server,
        ms: silenceMs,
        isWaiting: () => life.isWaiting,
        onSilence: life.fail,
        ...(setTimer === undefined ? {} : { setTimer }),
      });
      try {
        for await (const data of readServerSentEvents(watched(reply, watchdog))) {
          if (data === '[DONE]') {
            sequences.end();
            break;
          }
          const part = parseStreamPart(data, { vocabSize, topLogprobs });
          if (life.isWaiting) yield life.begin();
          for (const choice of part.choices) yield* sequences.add(choice);
          usage = part.usage ?? usage;
          // The server still computes what is not wanted: closing the connection cancels it.
          if (sequences.areDone && !sequences.areComplete) break;
        }
        if (!sequences.areDone) throw new RemoteFailure('cut', 'the stream ended before its last event');
        sequences.checkUsage(usage);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw error;
      } finally {
        watchdog.stop();
        reply.destroy();
      }
    }
    const outcome: GenerateOutcome = {
      sequences: config.mode === 'score' ? [{ tokens: [], finishReason: 'length' }] : sequences.collected(),
      ...(promptLogprobs === undefined ? {} : { promptLogprobs }),
    };
    yield life.finish(outcome, usage);
  }

  return {
    info,
    async *generate(request, signal) {
      if (closing !== null) throw new ModelError('closed', 'the engine is closed');
      if (signal?.aborted) throw new ModelError('aborted', 'the generation was cancelled before it began');
      refuse(request, info);
      const life = new Life(request, { signal, stop: stop.signal, now });
      const leave = load.enter();
      try {
        for await (const event of run(request, life)) {
          load.record(event, leave);
          yield event;
        }
      } catch (error) {
        throw toGenerationError(life.reasonOr(error), server, load.active > 1);
      } finally {
        life.end();
        leave();
      }
    },
    async stats(): Promise<EngineStats> {
      try {
        await server.checkHealth();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ModelError('engine_failed', `the server ${server.name} is not healthy: ${reason}`, { cause: error });
      }
      return load.stats(await server.metrics());
    },
    close() {
      closing ??= (async () => {
        stop.abort(new ModelError('closed', 'the engine is closed'));
        await load.idle();
      })();
      return closing;
    },
  };
}

/** The times and the signal of one generation. */
class Life {
  readonly signal: AbortSignal;
  readonly #request: GenerationRequest;
  readonly #now: () => number;
  readonly #arrivedAt: number;
  readonly #failed = new AbortController();
  readonly #limit = new TimeLimit();
  #startedAt: number | null = null;

  constructor(
    request: GenerationRequest,
    {
      signal,
      stop,
      now,
    }: { readonly signal: AbortSignal | undefined; readonly stop: AbortSignal; readonly now: () => number },
  ) {
    this.#request = request;
    this.#now = now;
    this.#arrivedAt = now();
    const aborted = new AbortController();
    const onAbort = (): void => aborted.abort(new ModelError('aborted', 'the generation was cancelled'));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.end = () => {
      this.#limit.clear();
      signal?.removeEventListener('abort', onAbort);
    };
    this.signal = AbortSignal.any([aborted.signal, stop, this.#failed.signal]);
    const { maxQueueMs } = request;
    this.#limit.set(maxQueueMs, () => {
      this.fail(new ModelError('queue_timed_out', `the generation waited for ${(maxQueueMs ?? 0) / 1000} s`));
    });
  }

  /** Release its timer and listener. */
  readonly end: () => void;

  readonly fail = (error: Error): void => this.#failed.abort(error);

  get isWaiting(): boolean {
    return this.#startedAt === null;
  }

  begin(): GenerationEvent {
    this.#startedAt = this.#now();
    const { maxComputeMs } = this.#request;
    this.#limit.set(maxComputeMs, () => {
      this.fail(
        new ModelError(
          'generation_timed_out',
          `the generation was computed for longer than ${(maxComputeMs ?? 0) / 1000} s`,
        ),
      );
    });
    return { type: 'started' };
  }

  finish(outcome: GenerateOutcome, usage: RemoteUsage | null): GenerationEvent {
    const promptTokens = this.#request.prompt.length;
    const generatedTokens = outcome.sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const startedAt = this.#startedAt ?? this.#now();
    return {
      type: 'finished',
      outcome,
      usage: {
        promptTokens,
        generatedTokens,
        computedTokens: computedTokens(0, promptTokens, generatedTokens),
        // A server cannot have more of the prompt than there is.
        cachedTokens: Math.min(usage?.cachedTokens ?? 0, promptTokens),
        queueMs: startedAt - this.#arrivedAt,
        computeMs: this.#now() - startedAt,
      },
    };
  }

  /** What ended it from outside, else the error. */
  reasonOr(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : error;
  }
}

/** Throws `context_full` and `parameters_refused`. */
function refuse({ prompt, config }: GenerationRequest, info: RemoteEngineOptions['info']): void {
  const { contextLength } = info.config;
  if (prompt.length === 0) throw new RangeError('generate: expected at least one prompt token, got none');
  const length = Math.max(prompt.length, config.maxLength);
  if (length > contextLength) {
    throw new ModelError(
      'context_full',
      `expected at most ${contextLength} tokens of prompt and output together, got ${length}`,
    );
  }
  const reason = describeRefused(config, info.remote);
  if (reason !== null) throw new ModelError('parameters_refused', reason);
}

/** The silence of the server counts, not the time that the reader takes between two chunks. */
async function* watched({ body }: RemoteReply, watchdog: Watchdog): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    watchdog.watch();
    const next = await chunks.next();
    watchdog.pause();
    if (next.done === true) return;
    yield next.value;
  }
}

function trimmed(reports: Report, top: number): Report {
  return reports.map((report) => ({ ...report, top: report.top.slice(0, top) }));
}

function toGenerationError(error: unknown, server: RemoteServer, others: boolean): unknown {
  if (error instanceof DecodingError) return toModelError(error);
  if (!(error instanceof RemoteFailure)) return error;
  server.report(error.message);
  return ofFailure(error, 'that computes the model', others);
}
