/** Composes the served models: for each its engine, observed, its tokenizer, its pipeline and its monitor. */

import type { ModelService, ModelSource } from './generation/model-service.ts';
import { createParameterReader } from './generation/parameter-parser.ts';
import { pipelineOf } from './generation/pipelines/pipeline-identity.ts';
import type { TextModel } from './generation/text-model.ts';
import { createEngineMonitor } from './telemetry/metrics/engine-monitor.ts';
import { observeEngine } from './telemetry/metrics/observe-engine.ts';
import type { Observation } from './telemetry/observation.ts';

export interface ModelsDeps {
  /** At least one; requests without a name get the first. */
  readonly sources: readonly ModelSource[];
  readonly clock: () => Date;
  readonly observation: Pick<Observation, 'metrics' | 'tracer'>;
}

export interface ComposedModels {
  readonly first: ModelService;
  readonly all: readonly ModelService[];
  /** The model of a name as its engine has it. */
  byName(name: string): ModelService;
  /** Rejects when no engine answers: one that does not leaves the others to serve. */
  check(): Promise<void>;
}

export function composeModels({ sources, clock, observation }: ModelsDeps): ComposedModels {
  const tags = new Set<string>();
  const now = (): number => performance.now();
  const compose = ({ engine: source, tokenizer, hosted }: ModelSource, isFirst: boolean): ModelService => {
    const monitor = createEngineMonitor({ engine: source, clock, now });
    const { modelName } = source.info;
    const engine = observeEngine(source, {
      ...observation,
      now,
      onTokens: monitor.countTokens,
      labels: sources.length === 1 ? {} : { model: modelName },
    });
    const identity = pipelineOf(modelName, isFirst);
    const pipeline = { ...identity, tags: identity.tags.filter((tag) => !tags.has(tag)) };
    for (const tag of pipeline.tags) tags.add(tag);
    const model: TextModel = {
      get info() {
        return engine.info;
      },
      tokenizer,
      readParameters: createParameterReader(engine.info, tokenizer),
    };
    return { model, engine, pipeline, monitor, hosted: hosted ?? null };
  };
  const [source, ...rest] = sources;
  if (source === undefined) throw new TypeError('expected at least one model, got none');
  const only = compose(source, true);
  const others = rest.map((each) => compose(each, false));
  const first = others.length === 0 ? only : { ...only, model: withOthers(only.model, others) };
  const all = [first, ...others];
  const named = new Map(all.map((each) => [each.model.info.modelName, each]));
  return {
    first,
    all,
    byName: (name) => named.get(name) ?? first,
    async check() {
      const checks = await Promise.allSettled(all.map(({ monitor }) => monitor.check()));
      const [failed] = checks.filter((each) => each.status === 'rejected');
      if (failed !== undefined && checks.every(({ status }) => status === 'rejected')) throw failed.reason;
    },
  };
}

function withOthers(model: TextModel, others: readonly ModelService[]): TextModel {
  return {
    get info() {
      return model.info;
    },
    tokenizer: model.tokenizer,
    readParameters: model.readParameters,
    others: others.map((each) => each.model),
  };
}
