/**
 * The engine without a process boundary.
 *
 * States: **open** → **closing** (every generation is cancelled, the models close) → closed. Invariants: the isolated
 * context is opened by the first deterministic request and closed with the engine; after `close()` no generation starts.
 */
import { type GenerateOutcome, generate, type Strategy } from '@gptj-cloud/decoding';
import { type LanguageModel, ModelError, type TokenId } from '@gptj-cloud/model';
import { type HeldAdapters, LiveAdapters } from './adapters/live-adapters.ts';
import type { Engine, EngineInfo, GenerationEvent, GenerationRequest } from './engine.ts';
import { addStats } from './engine-stats.ts';
import { EventQueue } from './event-queue.ts';
import type { OpenModel } from './open-model.ts';
import { FairShare } from './scheduler/fair-share.ts';
import type { GenerationListener } from './scheduler/generation.ts';
import { Mutex } from './scheduler/mutex.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { NO_MONITOR, type WorkMonitor } from './scheduler/work-monitor.ts';

export interface InProcessEngineOptions {
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
  /** Called with warnings for the operator that do not affect generations. */
  readonly onWarning?: (message: string) => void;
  /** Learns what this thread works on. Default: none. */
  readonly monitor?: WorkMonitor;
}

/**
 * An engine in this process: a scheduler over a model. The engine owns the model and closes it.
 *
 * `deterministic` requests run on a second context over the same weights, one at a time, with prompts split at fixed positions
 * and without the prefix cache. The shapes of their batches and the layout of their cache then depend on the request
 * alone, not on other requests. Evaluations of the two contexts exclude each other by a mutex.
 *
 * A failure in native code ends the whole process: servers use `spawnEngine`, which runs this engine in a child process.
 */
export function createEngine(opened: OpenModel, options: InProcessEngineOptions = {}): Engine {
  const { model, openIsolated, tokenizer, shelf } = opened;
  const now = options.now ?? (() => performance.now());
  // One function for all requests: `@gptj-cloud/decoding` caches its index of the vocabulary under it.
  const tokenBytes = (id: TokenId): Uint8Array => tokenizer.tokenBytes(id);
  const argmax = model.argmax?.bind(model);
  const strategy = ({ prompt, config }: GenerationRequest): Strategy<GenerateOutcome> =>
    generate({ prompt, config }, { clock: now, tokenBytes, ...(argmax === undefined ? {} : { argmax }) });
  const mutex = new Mutex();
  const shares = new FairShare();
  const { onWarning = () => {}, monitor: outer = NO_MONITOR } = options;
  /** Requests as they came, by requests that name adapters by their ids. */
  const given = new WeakMap<GenerationRequest, GenerationRequest>();
  const monitor: WorkMonitor = {
    evaluation: (work) => outer.evaluation(work),
    step: (request, work) => outer.step(given.get(request) ?? request, work),
  };
  for (const warning of opened.warnings) onWarning(warning);
  const shared = new Scheduler({
    model,
    draftModel: opened.draft,
    strategy,
    now,
    mutex,
    shares,
    monitor,
    prefixStore: opened.prefixStore,
    onWarning,
  });
  let isolated: { readonly scheduler: Scheduler; readonly model: LanguageModel } | null = null;

  const schedulerFor = (request: GenerationRequest): Scheduler => {
    if (!request.config.deterministic || openIsolated === null) return shared;
    if (isolated === null) {
      const own = openIsolated();
      isolated = {
        model: own,
        scheduler: new Scheduler({ model: own, strategy, now, mutex, shares, monitor, isolated: true }),
      };
    }
    return isolated.scheduler;
  };

  const submit = (request: GenerationRequest, held: HeldAdapters, listener: GenerationListener): (() => void) => {
    try {
      return schedulerFor(request).submit(request, listener);
    } catch (error) {
      held.release();
      throw error;
    }
  };

  const close = async (): Promise<void> => {
    await Promise.all([shared.close(), isolated?.scheduler.close()]);
    await isolated?.model.close();
    await opened.close();
  };
  let closing: Promise<void> | null = null;
  const adapters = new LiveAdapters({
    shelf,
    config: opened.info.config,
    mutex,
    forget: (id) => shared.prefixes.dropAdapter(id),
    onWarning,
  });
  let info: EngineInfo = opened.info;

  return {
    get info() {
      return info;
    },
    async setAdapters(files) {
      if (closing !== null) throw new ModelError('closed', 'the engine is closed');
      await adapters.change(files);
      const { names } = adapters;
      if (names.join() !== info.adapters.join()) info = { ...info, adapters: names };
    },
    async *generate(request, signal) {
      if (closing !== null) throw new ModelError('closed', 'the engine is closed');
      if (signal?.aborted) throw new ModelError('aborted', 'the generation was cancelled before it began');
      const events = new EventQueue<GenerationEvent>();
      const held = adapters.hold(request.config.lora);
      const own = held.uses.length === 0 ? request : { ...request, config: { ...request.config, lora: held.uses } };
      given.set(own, request);
      const cancel = submit(own, held, {
        event(event) {
          events.push(event);
          if (event.type !== 'finished') return;
          held.release();
          events.end();
        },
        failed(error) {
          held.release();
          events.fail(error);
        },
      });
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        yield* events;
      } finally {
        signal?.removeEventListener('abort', cancel);
        cancel();
      }
    },
    async stats() {
      return isolated === null ? shared.stats : addStats(shared.stats, isolated.scheduler.stats);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}
