import { type DraftPolicy, type GenerateOutcome, generate, type Strategy } from '@gptj-cloud/decoding';
import { type LanguageModel, ModelError, type TokenId } from '@gptj-cloud/model';
import type { Engine, GenerationEvent, GenerationRequest } from './engine.ts';
import { addStats } from './engine-stats.ts';
import { EventQueue } from './event-queue.ts';
import type { OpenModel } from './open-model.ts';
import { Mutex } from './scheduler/mutex.ts';
import { Scheduler } from './scheduler/scheduler.ts';

export interface InProcessEngineOptions {
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
  /** Told what an operator should know of, and generations do not suffer from. */
  readonly onWarning?: (message: string) => void;
}

/**
 * An engine in this process: the scheduler directly over a model. It owns the model and closes it.
 *
 * Requests that ask for `deterministic` results run by themselves on a second context over the same weights, one after
 * the other, with their prompts always cut alike and nothing taken from the prefix cache: batch shapes and the layout
 * of the cache are then the request's own, whoever else is served meanwhile. Evaluations of both contexts share a mutex.
 *
 * A native failure takes the whole process with it: servers use `spawnEngine`, which runs this one in a child.
 */
export function createEngine(opened: OpenModel, options: InProcessEngineOptions = {}): Engine {
  const { model, openTwin, tokenizer, info } = opened;
  const now = options.now ?? (() => performance.now());
  // One function for all requests: the decoding room keeps its index of the vocabulary by it.
  const tokenBytes = (id: TokenId): Uint8Array => tokenizer.tokenBytes(id);
  const strategy = ({ prompt, config }: GenerationRequest, drafts: DraftPolicy | null): Strategy<GenerateOutcome> =>
    generate({ prompt, config }, { clock: now, tokenBytes, ...(drafts === null ? {} : { drafts }) });
  const mutex = new Mutex();
  const { onWarning = () => {} } = options;
  for (const warning of opened.warnings) onWarning(warning);
  const shared = new Scheduler({ model, strategy, now, mutex, prefixStore: opened.prefixStore, onWarning });
  let apart: { readonly scheduler: Scheduler; readonly model: LanguageModel } | null = null;

  const schedulerFor = (request: GenerationRequest): Scheduler => {
    if (!request.config.deterministic || openTwin === null) return shared;
    if (apart === null) {
      const twin = openTwin();
      apart = { model: twin, scheduler: new Scheduler({ model: twin, strategy, now, mutex, oneByOne: true }) };
    }
    return apart.scheduler;
  };

  return {
    info,
    async *generate(request, signal) {
      if (signal?.aborted) throw new ModelError('aborted', 'the generation was cancelled before it began');
      const events = new EventQueue<GenerationEvent>();
      const cancel = schedulerFor(request).submit(request, {
        event(event) {
          events.push(event);
          if (event.type === 'finished') events.end();
        },
        failed: (error) => events.fail(error),
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
      return apart === null ? shared.stats : addStats(shared.stats, apart.scheduler.stats);
    },
    async close() {
      await Promise.all([shared.close(), apart?.scheduler.close()]);
      await apart?.model.close();
      await opened.close();
    },
  };
}
