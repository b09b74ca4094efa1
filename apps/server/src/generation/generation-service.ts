/**
 * Generations of the compatible APIs, whose results are not stored. A request may have several prompts; it is
 * admitted, metered and cancelled as one.
 *
 * requested → admitted (its maximum usage is reserved) → its prompts run, a few at a time → ended. However it ends, the
 * reservation is released exactly once: settled with the actual usage, or cancelled where nothing was computed or the
 * server failed (`charge.ts`). A reply does not wait for a settlement that no limit counts.
 */

import type { GenerateConfig } from '@gptj-cloud/decoding';
import { maxComputedTokens } from '@gptj-cloud/decoding';
import type { Engine, GenerationEvent, GenerationRequest } from '@gptj-cloud/engine';
import { ModelError, type TokenId } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';
import type { Principal } from '../identity/principal.ts';
import type { Admission, GenerationEstimate } from '../metering/usage/admission.ts';
import type { Logger } from '../telemetry/logger.ts';
import { chargeOf, type GenerationEnd } from './charge.ts';
import { toGenerationError } from './generation-error.ts';
import { createGenerationMeter } from './generation-meter.ts';
import { mergeEvents } from './merge-events.ts';
import { createSettlements } from './settlements.ts';

/** One prompt and its parameters, parsed for its length. */
export interface PromptRequest {
  readonly prompt: readonly TokenId[];
  readonly config: GenerateConfig;
}

export interface DirectGeneration {
  readonly principal: Principal;
  /** The name of the model in plans. */
  readonly model: string;
  /** At least one. */
  readonly prompts: readonly PromptRequest[];
  /** Maximum delay of events that are not the last, in milliseconds: see `GenerationRequest` of the engine. Default 0. */
  readonly maxEventDelayMs?: number;
  /** The request to this server, as the engine's requests name it. Default: none. */
  readonly origin?: GenerationRequest['origin'];
}

export type DirectEvent =
  /** The first event: the request was admitted; no prompt has started. */
  | { readonly type: 'admitted' }
  /** An event of the engine for the prompt with this index. */
  | { readonly type: 'engine'; readonly prompt: number; readonly event: GenerationEvent };

export interface GenerationServiceDeps {
  /** The engine of the model of a name. */
  readonly engineOf: (model: string) => Engine;
  readonly admission: Admission;
  readonly logger: Logger;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
  /** Longest time that a prompt waits for the model. Null: no limit, the default. */
  readonly maxQueueMs?: number | null;
}

export interface GenerationService {
  /**
   * Generate. Ending the iteration early or aborting `signal` cancels the prompts that run and frees their cache.
   *
   * Throws `ApiError`: the errors of admission before the first event; later `engine_failed`, `generation_too_large`,
   * `invalid_parameter`, `shutting_down`.
   */
  generate(request: DirectGeneration, signal: AbortSignal): AsyncGenerator<DirectEvent>;
  /** Generations under way. */
  readonly running: number;
  /** Resolves when the costs of all generations that have ended are metered: replies do not wait for those without counted limits. */
  readonly settled: () => Promise<void>;
  /** Refuse new generations, wait up to `drainTimeoutMs` for running ones, then cancel them and wait a moment. Idempotent. */
  close(drainTimeoutMs: number): Promise<void>;
}

/** Prompts of one request that run at the same time, so that one request does not delay all others. */
const MAX_CONCURRENT_PROMPTS = 8;
/** Time for cancelled generations to end. */
const STOP_MS = 2_000;

export function createGenerationService(deps: GenerationServiceDeps): GenerationService {
  const { engineOf, admission, logger, now = () => performance.now(), maxQueueMs = null } = deps;
  const stop = new AbortController();
  const onUnmetered = (error: unknown): void => logger.error('usage of a generation could not be metered', { error });
  const settlements = createSettlements(onUnmetered);
  let closing: Promise<void> | undefined;
  let running = 0;
  let idle = (): void => {};

  const refuseWhenClosing = (): void => {
    if (closing !== undefined) throw new ApiError('shutting_down', {}, { retryAfterSeconds: 5 });
  };

  async function* run(request: DirectGeneration, signal: AbortSignal): AsyncGenerator<DirectEvent> {
    const admitted = await admission.admit(request.principal, estimateOf(request));
    const { prompts, maxEventDelayMs = 0, origin } = request;
    const meter = createGenerationMeter(
      prompts.map(({ prompt }) => prompt.length),
      now,
    );
    const ended = new AbortController();
    const deadline = new AbortController();
    const { generationMs, runMs } = admitted.limits;
    const timer = runMs === null ? undefined : setTimeout(() => deadline.abort(), Math.min(runMs, 2 ** 31 - 1));
    const stopPrompts = AbortSignal.any([signal, stop.signal, ended.signal, deadline.signal]);
    async function* generateOne(prompt: number): AsyncGenerator<GenerationEvent> {
      const asked: GenerationRequest = {
        ...prompts[prompt]!,
        tenant: request.principal.projectId,
        priority: admitted.priority,
        ...(maxQueueMs === null ? {} : { maxQueueMs }),
        ...(generationMs === null ? {} : { maxComputeMs: generationMs }),
        maxEventDelayMs,
        ...(origin === undefined ? {} : { origin }),
      };
      for await (const event of engineOf(request.model).generate(asked, stopPrompts)) {
        meter.record(prompt, event);
        yield event;
      }
    }
    // A consumer that stops reading has gone.
    let end: GenerationEnd = { type: 'stopped', by: 'caller' };
    try {
      yield { type: 'admitted' };
      const events = mergeEvents(prompts.length, MAX_CONCURRENT_PROMPTS, generateOne, () => ended.abort());
      for await (const { source, event } of events) yield { type: 'engine', prompt: source, event };
      end = { type: 'finished' };
    } catch (error) {
      const isAborted = error instanceof ModelError && error.code === 'aborted';
      const isTimedOut = isAborted && deadline.signal.aborted;
      const byCaller = signal.aborted || isTimedOut;
      end = isAborted ? { type: 'stopped', by: byCaller ? 'caller' : 'server' } : { type: 'failed', error };
      if (isTimedOut && !signal.aborted) throw requestTimedOut(runMs ?? 0);
      throw toGenerationError(error);
    } finally {
      clearTimeout(timer);
      const cost = chargeOf(end, meter);
      const released = cost === null ? admitted.cancel() : admitted.settle(cost);
      // Only a complete generation can still report that metering failed.
      if (end.type !== 'finished') await released.catch(onUnmetered);
      else if (admitted.isCounted) await released;
      else await settlements.add(released);
    }
  }

  return {
    get running() {
      return running;
    },
    async *generate(request, signal) {
      refuseWhenClosing();
      running++;
      try {
        yield* run(request, signal);
      } finally {
        running--;
        if (running === 0) idle();
      }
    },
    settled: settlements.settled,
    close(drainTimeoutMs) {
      closing ??= (async () => {
        if (running === 0) return await settlements.settled();
        const drained = new Promise<void>((resolve) => {
          idle = resolve;
        });
        const timers = [
          setTimeout(() => stop.abort(), drainTimeoutMs),
          // A generation whose client does not read ends when the connection times out.
          setTimeout(() => idle(), drainTimeoutMs + STOP_MS),
        ];
        await drained;
        for (const timer of timers) clearTimeout(timer);
        await settlements.settled();
      })();
      return closing;
    },
  };
}

function requestTimedOut(runMs: number): ApiError {
  const reason = `the request took longer than ${runMs / 1000} s, the limit of the plan`;
  return new ApiError('generation_timed_out', { reason });
}

/** The maximum cost of a request. */
function estimateOf({ model, prompts }: DirectGeneration): GenerationEstimate {
  return {
    model,
    computedTokens: prompts.reduce((sum, { prompt, config }) => sum + maxComputedTokens(config, prompt.length), 0),
    contextTokens: Math.max(...prompts.map(({ config }) => config.maxLength)),
  };
}
