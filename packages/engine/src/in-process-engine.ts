import { type GenerateOutcome, generate, type Strategy } from '@gptj-cloud/decoding';
import { type LanguageModel, ModelError } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { Engine, EngineInfo, GenerationEvent, GenerationRequest } from './engine.ts';
import { EventQueue } from './event-queue.ts';
import { Scheduler } from './scheduler/scheduler.ts';

export interface InProcessEngineOptions {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly info: EngineInfo;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * An engine in this process: the scheduler directly over a model. It owns the model and closes it.
 *
 * A native failure takes the whole process with it: servers use `spawnEngine`, which runs this one in a child.
 */
export function createEngine(options: InProcessEngineOptions): Engine {
  const { model, tokenizer, info } = options;
  const now = options.now ?? (() => performance.now());
  const strategy = ({ prompt, config }: GenerationRequest): Strategy<GenerateOutcome> =>
    generate({ prompt, config }, { clock: now, tokenBytes: (id) => tokenizer.tokenBytes(id) });
  const scheduler = new Scheduler({ model, strategy, now });
  return {
    info,
    async *generate(request, signal) {
      if (signal?.aborted) throw new ModelError('aborted', 'the generation was cancelled before it began');
      const events = new EventQueue<GenerationEvent>();
      const cancel = scheduler.submit(request, {
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
    async close() {
      await scheduler.close();
      await model.close();
    },
  };
}
