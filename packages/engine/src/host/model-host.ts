/**
 * Several models behind one server, each with an engine of its own, as many of them loaded at a time as fit the memory
 * budget.
 *
 * States of a model: **unloaded** → (a caller asks for it, and there is room) **loading** → **loaded** → (another model
 * needs the memory) **closing** → **evicted** → **loading** …; **loading** → **failed** when its engine cannot be opened. Models
 * are added and removed while it serves; a removed one takes no more callers, and is closed after its last lease.
 *
 * Invariants
 * - The bytes of loading, loaded and closing models do not pass the budget.
 * - A model in use, that is with a lease, is not closed before `close()`.
 * - Room comes from idle models, the least recently used first, where they give enough. Else models in use yield after
 *   their turn: they grant no more leases, and are closed when the last one is released. Callers that ask for such a model
 *   meanwhile wait for its next turn, so that models that do not fit together take turns.
 * - A failed load rejects the callers of that model alone, and for a while those that ask for it again.
 */
import { setMaxListeners } from 'node:events';
import { ModelError } from '@gptj-cloud/model';
import { gigabytes } from '../machine/memory-plan.ts';
import { HostedModel, type HostedStatus, type HostModel } from './hosted-model.ts';

export interface ModelHostOptions {
  /** Memory of all loaded models. */
  readonly budgetBytes: number;
  /**
   * How long a model in use keeps its memory from the moment that another one waits for it. Longer where loading takes
   * more than a quarter of it. Default 10 s.
   */
  readonly turnMs?: number;
  /** How long a failed load is not repeated. Default 30 s. */
  readonly retryMs?: number;
  /** Called when the state of a model has changed. Must not throw. */
  readonly onChange?: (name: string, status: HostedStatus) => void;
  /** Called with the error of an engine that did not close. */
  readonly onCloseError?: (name: string, error: unknown) => void;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
  readonly clock?: () => Date;
}

export interface ModelHost {
  /** In the order in which they were given, and then added. */
  readonly models: readonly HostedModel[];
  /** Memory of all loaded models. */
  readonly budgetBytes: number;
  /** Host another model. Throws `invalid_config` for a name that it has, `closed`. */
  add(model: HostModel): HostedModel;
  /**
   * Take no more callers of a model, end those that wait for it to be loaded with `model_unavailable`, and close it after its last
   * lease. Resolves when its memory is free; at once for an unknown name.
   */
  remove(name: string): Promise<void>;
  /** Load a model where there is room, so that its first caller need not wait. Throws what loading it throws. */
  preload(name: string): Promise<void>;
  /**
   * Close every engine. Callers that wait get `closed`. Rejects when one does not close, after the others have. Every call
   * returns the same promise.
   */
  close(): Promise<void>;
}

/** A turn lasts at least this many times as long as loading. */
const LOADS_PER_TURN = 4;

/** Throws `invalid_config` for names that are not unique. */
export function createModelHost(models: readonly HostModel[], options: ModelHostOptions): ModelHost {
  const { budgetBytes, turnMs = 10_000, retryMs = 30_000, onChange, onCloseError } = options;
  const { now = () => performance.now(), clock = () => new Date() } = options;
  const stop = new AbortController();
  // One listener for each engine that is loading.
  setMaxListeners(0, stop.signal);
  const underWay = new Set<Promise<void>>();
  let isClosed = false;
  let closing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isBalancing = false;

  const hosted: HostedModel[] = [];
  /** Models that are removed, and what is called when they are closed. */
  const leaving = new Map<HostedModel, () => void>();

  const add = (model: HostModel): HostedModel => {
    if (isClosed) throw closedError();
    if (hosted.some(({ name }) => name === model.name)) {
      throw new ModelError('invalid_config', `expected unique names of models, got ${model.name} twice`);
    }
    const added = new HostedModel(model, {
      now,
      clock,
      retryMs,
      onDemand: () => balance(),
      onChange(changed) {
        onChange?.(changed.name, changed.status());
      },
    });
    hosted.push(added);
    return added;
  };

  const track = (work: Promise<void>): void => {
    const tracked = work.finally(() => {
      underWay.delete(tracked);
      balance();
    });
    underWay.add(tracked);
  };
  const load = (model: HostedModel): void => track(model.load(stop.signal));
  const evict = (model: HostedModel): void =>
    track(model.unload().catch((error: unknown) => onCloseError?.(model.name, error)));

  /** Decide what is loaded, what is closed and what yields. */
  const balance = (): void => {
    // Changes that it makes itself call it again.
    if (isBalancing) return;
    isBalancing = true;
    try {
      clearTimeout(timer);
      letGo();
      const yielding = isClosed ? new Set<HostedModel>() : makeRoom();
      for (const model of hosted) model.setYields(yielding.has(model));
      if (isClosed) for (const model of hosted) model.refuse(closedError());
    } finally {
      isBalancing = false;
    }
  };

  /** Close the models that are removed, as far as they are not in use. */
  const letGo = (): void => {
    for (const [model, onGone] of leaving) {
      if (model.state === 'loading' || model.state === 'closing') continue;
      if (model.state === 'loaded') {
        if (!model.isInUse) evict(model);
        continue;
      }
      leaving.delete(model);
      hosted.splice(hosted.indexOf(model), 1);
      onGone();
    }
  };

  /** Serve the models that callers wait for, in the order of their waiting. The models that must yield. */
  const makeRoom = (): ReadonlySet<HostedModel> => {
    for (const model of wanted()) {
      if (model.state === 'closing') return new Set();
      if (refuseAtOnce(model)) continue;
      const missing = model.bytes - freeBytes();
      if (missing <= 0) {
        load(model);
        continue;
      }
      // The others wait behind it: else small models would take every room that becomes free.
      return roomFor(model, missing - bytesOf(hosted.filter(({ state }) => state === 'closing')));
    }
    return new Set();
  };

  /** Models that callers wait for and that are not loaded, by their waiting. */
  const wanted = (): readonly HostedModel[] =>
    hosted
      .filter(({ state, waitingSince }) => waitingSince !== null && state !== 'loaded' && state !== 'loading')
      .sort((a, b) => (a.waitingSince ?? 0) - (b.waitingSince ?? 0));

  const freeBytes = (): number =>
    budgetBytes -
    bytesOf(hosted.filter(({ state }) => state === 'loaded' || state === 'loading' || state === 'closing'));

  /** Whether a model cannot be loaded now, of which its callers then learn. */
  const refuseAtOnce = (model: HostedModel): boolean => {
    if (model.bytes > budgetBytes) {
      model.fail(
        new ModelError(
          'out_of_memory',
          `it takes ${gigabytes(model.bytes)}, and all models together may take ${gigabytes(budgetBytes)}; raise MODEL_MEMORY_MB, or lower ENGINE_CACHE_TOKENS`,
        ),
      );
      return true;
    }
    if (!model.isRefused) return false;
    model.refuse(model.failure);
    return true;
  };

  /** Close idle models, or find those that must yield, so that `missing` bytes become free. */
  const roomFor = (model: HostedModel, missing: number): ReadonlySet<HostedModel> => {
    if (missing <= 0) return new Set();
    const loaded = hosted.filter(({ state }) => state === 'loaded');
    const idle = loaded.filter((other) => other.isIdle).sort((a, b) => a.lastUsedAt - b.lastUsedAt);
    const fromIdle = firstEnough(idle, missing);
    if (fromIdle !== null) {
      for (const other of fromIdle) evict(other);
      return new Set();
    }
    const turn = Math.max(turnMs, LOADS_PER_TURN * model.loadMs);
    const endOfTurn = (other: HostedModel): number => Math.max(other.loadedAt, model.waitingSince ?? 0) + turn;
    const busy = loaded
      .filter((other) => !idle.includes(other))
      .sort((a, b) => endOfTurn(a) - endOfTurn(b) || a.loadedAt - b.loadedAt);
    const at = now();
    const overdue = busy.filter((other) => endOfTurn(other) <= at);
    const chosen = firstEnough([...idle, ...overdue], missing);
    if (chosen === null) {
      const next = busy.find((other) => endOfTurn(other) > at);
      if (next !== undefined) timer = setTimeout(balance, endOfTurn(next) - at);
      return new Set();
    }
    const yielding = chosen.filter((other) => !idle.includes(other));
    // One whose last lease was released between two turns is closed at once.
    for (const other of yielding) if (!other.isInUse) evict(other);
    if (yielding.every((other) => !other.isInUse)) for (const other of chosen) if (idle.includes(other)) evict(other);
    return new Set(yielding.filter((other) => other.state === 'loaded'));
  };

  for (const model of models) add(model);
  return {
    models: hosted,
    budgetBytes,
    add,
    async remove(name) {
      const model = hosted.find((each) => each.name === name);
      if (model === undefined) return;
      await new Promise<void>((resolve) => {
        const others = leaving.get(model);
        leaving.set(model, () => {
          others?.();
          resolve();
        });
        model.retire();
        balance();
      });
    },
    async preload(name) {
      const model = hosted.find((each) => each.name === name);
      if (model === undefined) throw new ModelError('invalid_config', `expected the name of a model, got ${name}`);
      const lease = await model.lease();
      lease.release();
    },
    close() {
      closing ??= (async () => {
        isClosed = true;
        stop.abort();
        balance();
        await Promise.allSettled(underWay);
        const loaded = hosted.filter(({ state }) => state === 'loaded');
        const closed = await Promise.allSettled(loaded.map((model) => model.unload()));
        balance();
        for (const each of closed) if (each.status === 'rejected') throw each.reason;
      })();
      return closing;
    },
  };
}

/** The first models that together give the bytes; null: all of them do not. */
function firstEnough(models: readonly HostedModel[], bytes: number): readonly HostedModel[] | null {
  let rest = bytes;
  for (const [at, model] of models.entries()) {
    rest -= model.bytes;
    if (rest <= 0) return models.slice(0, at + 1);
  }
  return null;
}

function bytesOf(models: readonly HostedModel[]): number {
  return models.reduce((sum, { bytes }) => sum + bytes, 0);
}

function closedError(): ModelError {
  return new ModelError('closed', 'the engine is closed');
}
