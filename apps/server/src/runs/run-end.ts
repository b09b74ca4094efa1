/** How a run ends, in values: `run-store` writes them, and a run known to this process changes by them. */
import type { FinishReason } from '@gptj-cloud/decoding';
import type { JsonValue } from '@gptj-cloud/pickle';
import type { GenerationCost } from '../metering/usage/admission.ts';
import { type NewFile, withSmallBytes } from './files/file.ts';
import type { Run, RunFailure, RunWaits } from './run.ts';
import { storableText } from './text-head.ts';

export interface RunResult {
  readonly file: NewFile;
  /** The outputs; null when they are too long for every reply. */
  readonly preview: readonly JsonValue[] | null;
  /** The first letters of the first output. */
  readonly outputHead: string;
  readonly computeTimeMs: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly computedTokens: number;
  readonly cachedTokens: number;
  readonly seed: number | null;
  readonly warnings: readonly string[];
  readonly finishReasons: readonly FinishReason[];
}

/** A run that this process executes no longer. */
export interface EndedRun {
  readonly id: string;
  readonly projectId: string;
  /** An execution here has ended it: its events here are all that it has. */
  readonly endedHere: boolean;
}

/** The process that ends a run, and when. */
export interface RunEnder {
  readonly runId: string;
  readonly projectId: string;
  /** The owner of its lease; null ends it whether or not there is a lease. */
  readonly owner: string | null;
  readonly endedAt: Date;
}

export interface RunEnding {
  readonly ender: RunEnder;
  /** The cost to charge; null: none. */
  readonly cost: GenerationCost | null;
  /** The execution that ended; null: the run was ended without one. */
  readonly execution: { readonly attempts: number; readonly waits: RunWaits | null } | null;
  readonly end: { readonly result: RunResult } | { readonly failure: RunFailure };
}

/** The run as the store has it when its end is stored. */
export function toEndedRun(accepted: Run, { ender, end, cost, execution }: RunEnding): Run {
  const { endedAt } = ender;
  const run: Run = execution === null ? accepted : { ...accepted, ...execution };
  if ('failure' in end) {
    return {
      ...run,
      endedAt,
      state: 'failed',
      failure: storableFailure(end.failure),
      computeTimeMs: cost === null ? null : Math.round(cost.computeMs),
      usage:
        cost === null
          ? null
          : {
              promptTokens: cost.promptTokens,
              generatedTokens: cost.generatedTokens,
              computedTokens: cost.computedTokens,
              cachedTokens: cost.cachedTokens ?? 0,
            },
    };
  }
  const {
    file,
    preview,
    outputHead: _,
    computeTimeMs,
    promptTokens,
    generatedTokens,
    computedTokens,
    cachedTokens,
    ...rest
  } = end.result;
  return {
    ...run,
    ...rest,
    endedAt,
    state: 'complete',
    result: withSmallBytes(file),
    resultPreview: preview,
    computeTimeMs: Math.round(computeTimeMs),
    usage: { promptTokens, generatedTokens, computedTokens, cachedTokens },
  };
}

/** The failure in a form that the store can hold. */
export function storableFailure({ error, exception, traceback }: RunFailure): RunFailure {
  return { error, exception: storableText(exception), traceback: storableText(traceback) };
}
