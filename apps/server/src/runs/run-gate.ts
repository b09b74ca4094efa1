/**
 * Decides which runs may begin where a server has several models: those whose model is loaded. Runs of the others wait in the
 * store, without a slot, while their model loads. Where runs of several models wait, each model gets an even part of the
 * slots, and what the others leave.
 *
 * A model that runs wait for is asked for, and **held** from when it is loaded until none of its runs waits or is executed. A hold
 * keeps the model for its turn and not longer: then it makes room for one that others wait for, and is asked for again. A
 * model that could not be loaded counts as open until it may be loaded again: its runs begin, and fail with the reason.
 */
import type { HostedModel } from '@gptj-cloud/engine';
import { ModelError } from '@gptj-cloud/model';
import type { Logger } from '../telemetry/logger.ts';

/** Runs that a worker may claim next. */
export interface NextClaim {
  /** Null: of any pipeline. */
  readonly pipelines: readonly string[] | null;
  readonly limit: number;
}

export interface RunGate {
  /** What to claim next for that many free slots; null: no run may begin. */
  next(free: number): NextClaim | null;
  /** The result of a claim. Whether another one may find more runs. */
  claimed(claim: NextClaim, count: number): boolean;
  /** Whether a run of the pipeline may begin here without waiting. */
  isOpen(pipelineId: string): boolean;
  /** A run begins; call what it returns when it has ended. */
  enter(pipelineId: string): () => void;
  /** Ask for no more models. */
  close(): void;
}

/** A model behind a pipeline. */
export interface GatedModel {
  readonly pipelineId: string;
  /** Loads it on demand; null: it is always loaded. */
  readonly hosted: HostedModel | null;
}

export interface RunGateDeps {
  /** They come and go. */
  readonly models: () => readonly GatedModel[];
  /** Slots of the worker. */
  readonly slots: number;
  /** Pipelines of this server; null: any. */
  readonly claimable: () => readonly string[] | null;
  /** Pipelines with runs that wait. */
  readonly findWaiting: () => Promise<readonly string[]>;
  /** Runs that had to wait may begin. */
  readonly wake: () => void;
  readonly logger: Logger;
}

export function createRunGate(deps: RunGateDeps): RunGate {
  const { models, slots, claimable, findWaiting, wake, logger } = deps;
  const hostedOf = (pipelineId: string): HostedModel | null =>
    models().find((model) => model.pipelineId === pipelineId)?.hosted ?? null;
  const stop = new AbortController();
  /** Pipelines with waiting runs, as the store had them last. */
  let waiting = new Set<string>();
  const executing = new Map<string, number>();
  /** What ends the hold of a model. */
  const holds = new Map<string, () => void>();
  const asked = new Set<string>();
  let isLooking = false;
  /** A run may have come after the store was read. */
  let mustLook = false;

  const isOpen = (pipelineId: string): boolean => {
    const hosted = hostedOf(pipelineId);
    return hosted === null || hosted.isReady || hosted.isRefused;
  };
  const mayClaim = (pipelineId: string): boolean => {
    const known = claimable();
    return isOpen(pipelineId) && (known === null || known.includes(pipelineId));
  };
  const letGo = (pipelineId: string): void => {
    holds.get(pipelineId)?.();
    holds.delete(pipelineId);
  };
  const letGoWhenUnused = (pipelineId: string): void => {
    if (!waiting.has(pipelineId) && !executing.has(pipelineId)) letGo(pipelineId);
  };
  const ask = (pipelineId: string, hosted: HostedModel): void => {
    if (asked.has(pipelineId)) return;
    asked.add(pipelineId);
    hosted
      .lease({ signal: stop.signal })
      .then((lease) => {
        letGo(pipelineId);
        if (!stop.signal.aborted) holds.set(pipelineId, hosted.hold());
        lease.release();
      })
      .catch((error: unknown) => {
        // Its runs begin, and get the error; but where the host has ended, no model will be loaded.
        if (error instanceof ModelError && error.code === 'closed') stop.abort();
      })
      .finally(() => {
        asked.delete(pipelineId);
        if (!stop.signal.aborted) wake();
      });
  };
  /** Read what waits, and ask for the models of it. */
  const look = async (): Promise<void> => {
    const before = waiting;
    waiting = new Set(await findWaiting());
    for (const pipelineId of [...holds.keys()]) if (hostedOf(pipelineId) === null) letGo(pipelineId);
    for (const { pipelineId, hosted } of models()) {
      if (!waiting.has(pipelineId)) letGoWhenUnused(pipelineId);
      else if (hosted !== null && !isOpen(pipelineId) && !stop.signal.aborted) ask(pipelineId, hosted);
    }
    if ([...waiting].some((each) => isOpen(each) && !before.has(each))) wake();
  };

  const lookAgain = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      while (mustLook) {
        mustLook = false;
        await look();
      }
    } catch (error) {
      logger.warn('the pipelines of waiting runs could not be read', { error });
    } finally {
      isLooking = false;
    }
  };

  return {
    next(free) {
      const known = claimable();
      // Every model is always loaded.
      if (models().every(({ hosted }) => hosted === null)) return { pipelines: known, limit: free };
      mustLook = true;
      void lookAgain();
      const ready = [...waiting].filter(mayClaim);
      const contenders = new Set([...waiting, ...executing.keys()]);
      if (ready.length === 0 || contenders.size < 2) {
        const all = models().map(({ pipelineId }) => pipelineId);
        if (all.every(isOpen)) return { pipelines: known, limit: free };
        const open = [...new Set([...all, ...waiting])].filter(mayClaim);
        return open.length === 0 ? null : { pipelines: open, limit: free };
      }
      const running = (each: string): number => executing.get(each) ?? 0;
      const [next = ''] = ready.sort((a, b) => running(a) - running(b));
      const share = Math.max(1, Math.floor(slots / contenders.size));
      return { pipelines: [next], limit: Math.min(free, Math.max(1, share - running(next))) };
    },
    claimed({ pipelines, limit }, count) {
      const [only] = pipelines?.length === 1 ? pipelines : [];
      if (only !== undefined && count < limit) waiting.delete(only);
      return count === limit || (only !== undefined && [...waiting].some(mayClaim));
    },
    isOpen: mayClaim,
    enter(pipelineId) {
      executing.set(pipelineId, (executing.get(pipelineId) ?? 0) + 1);
      let isInside = true;
      return () => {
        if (!isInside) return;
        isInside = false;
        const rest = (executing.get(pipelineId) ?? 1) - 1;
        if (rest > 0) executing.set(pipelineId, rest);
        else executing.delete(pipelineId);
        letGoWhenUnused(pipelineId);
      };
    },
    close() {
      stop.abort();
      for (const pipelineId of [...holds.keys()]) letGo(pipelineId);
    },
  };
}
