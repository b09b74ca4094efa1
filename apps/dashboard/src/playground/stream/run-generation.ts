/**
 * Follows one generation from its request to its end. The run outlives the page: a dropped connection is resumed, a restarted
 * server generates again, and a page that is opened later follows the run by its id.
 */
import {
  type BeamCandidate,
  hasEnded,
  type PipelineCloud,
  type Run,
  type RunStream,
  StreamInterruptedError,
} from '@gptj-cloud/sdk';
import { withoutRefused } from '../../api/ask-less.ts';
import type { Arrival, Ending } from '../document/generation.ts';
import { arrivalOf, arrivalsOfResult } from './arrivals.ts';

export type GenerationApi = Pick<PipelineCloud, 'streamPipeline' | 'followRun' | 'cancelRun'>;

export interface GenerationRequest {
  /** Names the generation in the draft, and the run at the server: the same key never runs twice. */
  readonly key: string;
  readonly pipelineId: string;
  /** Prompt and parameters. */
  readonly data: readonly unknown[];
  /** Parameters that the request goes without where they are refused. */
  readonly optional: readonly string[];
}

export interface GenerationSink {
  accepted(run: Run): void;
  /** At most once a frame. */
  arrived(arrivals: readonly Arrival[]): void;
  /** The steps of a beam search so far, with `output_beams`. At most once a frame. */
  searched(steps: readonly (readonly BeamCandidate[])[]): void;
  /** The generation begins again: what has arrived is void. */
  restarted(): void;
  /** `run` is null for a run that was cancelled and whose end was not reported. */
  ended(ending: Ending, run: Run | null): void;
  /** The request goes without these parameters, because they were refused. */
  reduced(left: readonly string[]): void;
  /** The server refused the request, so that there is no run. */
  refused(error: unknown): void;
  /** No connection; the next try is at `retryAtMs`. */
  lost(retryAtMs: number): void;
  found(): void;
}

export interface GenerationDeps {
  readonly api: GenerationApi;
  readonly sink: GenerationSink;
  /** Calls `task` before the next frame is shown. */
  readonly onFrame: (task: () => void) => void;
  readonly nowMs: () => number;
  /** Resolves after a delay, or at once when `signal` is aborted. */
  readonly pause: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

export interface Generation {
  readonly key: string;
  /** Cancels the run; tokens that were on their way are still delivered, and then the end. */
  stop(): void;
  /** Stops listening; the run goes on. */
  leave(): void;
  /** Resolves when the generation has ended, was refused, or was left. Never rejects. */
  readonly done: Promise<void>;
}

const MAX_RETRY_DELAY_MS = 8000;
/** How long tokens of a cancelled run are waited for. */
const MAX_STOP_MS = 10_000;

/** Send the request and follow its run. */
export function startGeneration(deps: GenerationDeps, request: GenerationRequest): Generation {
  const { key, pipelineId, data, optional } = request;
  const open = (asked: readonly unknown[], signal: AbortSignal): RunStream =>
    deps.api.streamPipeline(pipelineId, asked, { keepRunning: true, idempotencyKey: key, signal });
  return follow(deps, key, null, {
    first: (signal) => open(data, signal),
    instead(refusal, signal) {
      const less = withoutRefused(data, optional, refusal);
      if (less === null) return null;
      deps.sink.reduced(less.left);
      return open(less.data, signal);
    },
  });
}

/** Follow a run that another page has started. */
export function resumeGeneration(deps: GenerationDeps, key: string, runId: string): Generation {
  return follow(deps, key, runId, {
    first: (signal) => deps.api.followRun(runId, { signal }),
    instead: () => null,
  });
}

function follow(
  deps: GenerationDeps,
  key: string,
  knownId: string | null,
  open: {
    readonly first: (signal: AbortSignal) => RunStream;
    /** Another request in place of a first one that was refused; null: there is none. */
    readonly instead: (refusal: unknown, signal: AbortSignal) => RunStream | null;
  },
): Generation {
  const { api, sink, onFrame } = deps;
  const leaving = new AbortController();
  const { signal } = leaving;
  let runId = knownId;
  let isStopping = false;
  let hasTokens = false;
  /** Another stream is read, which has not begun with the tokens yet. */
  let isLost = false;
  /** The text so far, by sequence. */
  let shown: string[] = [];
  let hasEnd = false;
  let hasProgress = false;
  let buffer: Arrival[] = [];
  let steps: (readonly BeamCandidate[])[] = [];
  let isSearchShown = true;

  const flush = (): void => {
    if (buffer.length === 0 || signal.aborted) return;
    const arrivals = buffer;
    buffer = [];
    sink.arrived(arrivals);
  };
  const showSearch = (): void => {
    isSearchShown = true;
    if (!signal.aborted) sink.searched([...steps]);
  };
  const end = (run: Run): void => {
    flush();
    hasEnd = true;
    // Events of a run that ended before its stream was read, or read again, are gone; its result has them.
    if (run.runState === 'complete') {
      const arrivals = arrivalsOfResult(key, run);
      const isCut = arrivals.some(({ sequence, text }) => isBeginning(shown[sequence] ?? '', text));
      if (arrivals.length > 0 && (!hasTokens || isLost || isCut)) {
        sink.restarted();
        sink.arrived(arrivals);
      }
    }
    sink.ended(endingOf(key, run, isStopping), run);
  };
  const cancel = async (id: string): Promise<void> => {
    try {
      await api.cancelRun(id, { signal });
    } catch {
      // The stream reports the state of the run, and a lost connection.
    }
    await deps.pause(MAX_STOP_MS, signal);
    if (hasEnd || signal.aborted) return;
    flush();
    hasEnd = true;
    sink.ended({ key, finishes: ['cancelled'], failure: null }, null);
    leaving.abort();
  };
  const read = async (stream: RunStream): Promise<void> => {
    let isFirst = true;
    for await (const event of stream) {
      sink.found();
      if (event.type === 'token') {
        hasTokens = true;
        hasProgress = true;
        if (buffer.length === 0) onFrame(flush);
        shown[event.index] = (shown[event.index] ?? '') + event.text;
        buffer.push(arrivalOf(key, event));
        continue;
      }
      if (event.type === 'beams') {
        hasProgress = true;
        steps[event.step] = event.candidates;
        if (isSearchShown) onFrame(showSearch);
        isSearchShown = false;
        continue;
      }
      const { run } = event;
      if (runId === null && isStopping) void cancel(run.id);
      runId = run.id;
      if (hasEnded(run)) {
        end(run);
        return;
      }
      // The first event of a stream that is read again from the start repeats tokens, too.
      if (hasTokens || (knownId !== null && isFirst)) {
        flush();
        sink.restarted();
        hasTokens = false;
        shown = [];
      }
      isFirst = false;
      isLost = false;
      // A search begins again, too.
      steps = [];
      sink.accepted(run);
    }
  };
  const readUntilEnd = async (): Promise<void> => {
    let stream = open.first(signal);
    let mayAskAgain = true;
    for (let tries = 0; ; tries++) {
      try {
        await read(stream);
        if (hasEnd || signal.aborted) return;
      } catch (error) {
        if (signal.aborted || hasEnd) return;
        const other = runId === null && mayAskAgain ? open.instead(error, signal) : null;
        if (other !== null) {
          mayAskAgain = false;
          stream = other;
          continue;
        }
        if (runId === null || !mayRetry(error)) {
          flush();
          sink.refused(error);
          return;
        }
      }
      if (hasProgress) tries = 0;
      hasProgress = false;
      const delayMs = Math.min(MAX_RETRY_DELAY_MS, 1000 * 2 ** tries);
      sink.lost(deps.nowMs() + delayMs);
      await deps.pause(delayMs, signal);
      if (signal.aborted) return;
      isLost = true;
      stream = api.followRun(runId ?? '', { signal });
    }
  };
  return {
    key,
    stop() {
      if (isStopping) return;
      isStopping = true;
      if (runId !== null) void cancel(runId);
    },
    leave() {
      flush();
      leaving.abort();
    },
    done: readUntilEnd(),
  };
}

function isBeginning(text: string, whole: string): boolean {
  return text.length < whole.length && whole.startsWith(text);
}

/** Whether a run may go on although its stream has ended: not where the server says that it is gone or not ours. */
function mayRetry(error: unknown): boolean {
  if (error instanceof StreamInterruptedError) return true;
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : null;
  return status === null || (typeof status === 'number' && (status >= 500 || status === 429 || status === 408));
}

function endingOf(key: string, run: Run, isStopping: boolean): Ending {
  if (run.runState === 'complete') return { key, finishes: run.finishReasons ?? ['length'], failure: null };
  const exception = run.errorInfo?.exception ?? 'the run failed';
  if (isStopping || /\bcancelled\b/.test(exception)) return { key, finishes: ['cancelled'], failure: null };
  return { key, finishes: ['failed'], failure: exception };
}
