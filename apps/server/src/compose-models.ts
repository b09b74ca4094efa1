/** Composes the served models: for each its engine, observed, its tokenizer, its pipeline and its monitor. */

import type { Engine } from '@gptj-cloud/engine';
import { ModelError } from '@gptj-cloud/model';
import type { ModelService, ModelSource } from './generation/model-service.ts';
import { createLiveReader } from './generation/parameter-parser.ts';
import { pipelineOf } from './generation/pipelines/pipeline-identity.ts';
import type { TextModel } from './generation/text-model.ts';
import { createEngineMonitor } from './telemetry/metrics/engine-monitor.ts';
import { observeEngine } from './telemetry/metrics/observe-engine.ts';
import type { Observation } from './telemetry/observation.ts';
import { NeedsWorker } from './workers/job.ts';
import { createJobRunner, type JobRunner } from './workers/job-runner.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

export interface ModelsDeps {
  /** At least one; requests without a name get the first. */
  readonly sources: readonly ModelSource[];
  readonly clock: () => Date;
  readonly observation: Pick<Observation, 'metrics' | 'tracer'>;
  /** Names the beginnings of prompts. `computesHere`: the cache of the engine is one of this process. */
  readonly label: (engine: Engine, computesHere: boolean) => Engine;
}

/** The served models: they come and go while the server runs. */
export interface ComposedModels {
  readonly first: ModelService;
  /** The first one first; always the present ones. */
  readonly all: readonly ModelService[];
  /** The model of a name as its engine has it. Throws `model_unavailable` for one that is no longer served. */
  byName(name: string): ModelService;
  /** Serve another model. Its name must be one that no other has. */
  add(source: ModelSource): ModelService;
  /** Serve it no longer. The first one cannot be removed. */
  remove(name: string): void;
  /** The model of a name; null: there is none. */
  find(name: string): ModelService | null;
  /** Rejects when no engine answers: one that does not leaves the others to serve. */
  check(): Promise<void>;
}

export function composeModels({ sources, clock, observation, label }: ModelsDeps): ComposedModels {
  const all: ModelService[] = [];
  const others: TextModel[] = [];
  const now = (): number => performance.now();
  const compose = (given: ModelSource): ModelService => {
    const { engine: source, tokenizer, hosted, isElsewhere = false } = given;
    const isFirst = all.length === 0;
    const monitor = createEngineMonitor({ engine: source, clock, now });
    const { modelName } = source.info;
    const labels = () => (all.length === 1 ? {} : { model: modelName });
    // Metrics of all servers are added up.
    const observed = isElsewhere
      ? source
      : observeEngine(source, { ...observation, now, onTokens: monitor.countTokens, labels });
    const engine = label(observed, !isElsewhere);
    const identity = pipelineOf(modelName, isFirst);
    const taken = new Set(all.flatMap(({ pipeline }) => pipeline.tags));
    const pipeline = { ...identity, tags: identity.tags.filter((tag) => !taken.has(tag)) };
    const model: TextModel = {
      get info() {
        return engine.info;
      },
      tokenizer,
      readParameters: createLiveReader(engine, tokenizer),
      ...(isFirst ? { others } : {}),
    };
    return { model, engine, pipeline, monitor, hosted: hosted ?? null, source: given };
  };
  const add = (source: ModelSource): ModelService => {
    const service = compose(source);
    if (all.length > 0) others.push(service.model);
    all.push(service);
    return service;
  };
  for (const source of sources) add(source);
  const [first] = all;
  if (first === undefined) throw new TypeError('expected at least one model, got none');
  const find = (name: string): ModelService | null => all.find(({ model }) => model.info.modelName === name) ?? null;
  return {
    first,
    all,
    find,
    byName(name) {
      const found = find(name);
      if (found === null) throw new ModelError('model_unavailable', `the model ${name} is no longer served`);
      return found;
    },
    add,
    remove(name) {
      const at = all.findIndex(({ model }) => model.info.modelName === name);
      if (at < 1) return;
      all.splice(at, 1);
      others.splice(at - 1, 1);
    },
    async check() {
      const checks = await Promise.allSettled(all.map(({ monitor }) => monitor.check()));
      const [failed] = checks.filter((each) => each.status === 'rejected');
      if (failed !== undefined && checks.every(({ status }) => status === 'rejected')) throw failed.reason;
    },
  };
}

/** Reads small requests on this thread, and large ones and patterns, whatever their length, on worker threads. */
export function createReadRunner(model: TextModel, pool: WorkerPool, maxBytes: number): JobRunner<TextModel> {
  const known = new WeakMap<TextModel, TextModel>();
  const onThisThread = (served: TextModel): TextModel => {
    const { tokenizer } = served;
    const own = known.get(served) ?? {
      get info() {
        return served.info;
      },
      tokenizer,
      readParameters: createLiveReader(served, tokenizer, {
        checkPattern() {
          throw new NeedsWorker();
        },
      }),
      // They come and go.
      get others() {
        return (served.others ?? []).map(onThisThread);
      },
    };
    known.set(served, own);
    return own;
  };
  return createJobRunner({ tools: onThisThread(model), pool, maxBytes });
}
