/** A host of two scripted models, `first` and `second`, for tests of a server with several. */
import { createModelHost, type Engine, type HostedModel, type HostModel, type ModelHost } from '@gptj-cloud/engine';
import type { ModelSource } from '../generation/model-service.ts';
import { byteTokenizer } from './fake-model.ts';
import { createScriptedEngine } from './scripted-engine.ts';

export interface TwoModels {
  readonly host: ModelHost;
  /** For `compose`: the first model, which writes `a`, and the second, which writes `b`. */
  readonly first: ModelSource & { readonly hosted: HostedModel };
  readonly second: ModelSource & { readonly hosted: HostedModel };
  /** `load first`, `close first`, in order. */
  readonly log: string[];
  /** The next load of a model waits until it is let go. */
  hold(name: string): () => void;
  /** The next load of a model fails. */
  fail(name: string, error: Error): void;
  /** The time in which a failed load is not repeated is over. */
  skipRetryPause(): void;
}

const RETRY_MS = 60_000;

const LETTERS: Readonly<Record<string, number>> = { first: 0x61, second: 0x62 };

/** @param fitting how many of them fit the memory together */
export function createTwoModels(fitting: 1 | 2, turnMs = 1): TwoModels {
  const log: string[] = [];
  const gates = new Map<string, Promise<void>>();
  const failures = new Map<string, Error>();
  const open = (name: string): Engine => {
    const engine = createScriptedEngine(({ config, prompt }) => ({
      sequences: Array.from({ length: config.numReturnSequences }, () =>
        Array.from({ length: config.maxLength - prompt.length }, () => LETTERS[name] ?? 0),
      ),
    }));
    return {
      ...engine,
      info: { ...engine.info, modelName: name },
      async close() {
        log.push(`close ${name}`);
      },
    };
  };
  const toHostModel = (name: string): HostModel => ({
    name,
    bytes: 1,
    info: open(name).info,
    async open({ onProgress, signal }) {
      log.push(`load ${name}`);
      onProgress(0.25);
      await Promise.race([gates.get(name) ?? Promise.resolve(), aborted(signal)]);
      signal.throwIfAborted();
      const failure = failures.get(name);
      failures.delete(name);
      if (failure !== undefined) throw failure;
      return open(name);
    },
  });
  let skippedMs = 0;
  const host = createModelHost(['first', 'second'].map(toHostModel), {
    budgetBytes: fitting,
    turnMs,
    retryMs: RETRY_MS,
    now: () => performance.now() + skippedMs,
  });
  const [first, second] = host.models.map((hosted) => ({ engine: hosted.engine, tokenizer: byteTokenizer, hosted }));
  if (first === undefined || second === undefined) throw new TypeError('expected two models');
  return {
    host,
    first,
    second,
    log,
    hold(name) {
      let resume = (): void => {};
      gates.set(
        name,
        new Promise<void>((resolve) => {
          resume = resolve;
        }),
      );
      return () => {
        gates.delete(name);
        resume();
      };
    },
    fail: (name, error) => void failures.set(name, error),
    skipRetryPause() {
      skippedMs += RETRY_MS;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
