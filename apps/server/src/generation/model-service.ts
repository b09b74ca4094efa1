import type { Engine, HostedModel } from '@gptj-cloud/engine';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { EngineMonitor } from '../telemetry/metrics/engine-monitor.ts';
import type { PipelineIdentity } from './pipelines/pipeline-identity.ts';
import type { TextModel } from './text-model.ts';

/** A model as the server opens it. */
export interface ModelSource {
  /** Its `info` has the name by which requests choose the model. */
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  /** Loads and evicts it, where the server has several models. Default: it is always loaded. */
  readonly hosted?: HostedModel;
  /** Other servers compute it, and count its tokens and time. Default false. */
  readonly isElsewhere?: boolean;
}

/** A served model with what belongs to it alone. */
export interface ModelService {
  readonly model: TextModel;
  readonly engine: Engine;
  readonly pipeline: PipelineIdentity;
  readonly monitor: EngineMonitor;
  /** Null: it is always loaded. */
  readonly hosted: HostedModel | null;
  /** As it was opened. */
  readonly source: ModelSource;
}
