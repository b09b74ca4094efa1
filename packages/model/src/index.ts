export {
  ADAPTER_TARGETS,
  type AdapterLayer,
  type AdapterTarget,
  type AdapterTargetSpec,
  type AdapterUse,
  adaptersKey,
  adapterTargets,
  canonicalAdapters,
  type LowRank,
  MAX_ADAPTER_RANK,
  MAX_ADAPTER_SCALE,
  MAX_ADAPTERS_PER_SEQUENCE,
  usesAdapter,
} from './adapter.ts';
export { GPTJ_6B, type GptjConfig, parseGptjConfig } from './gptj-config.ts';
export type {
  LanguageModel,
  ModelCapabilities,
  ModelLimits,
  Scored,
  SequenceId,
  Step,
  StepResult,
} from './language-model.ts';
export { ModelError, type ModelErrorCode } from './model-error.ts';
export {
  GPTJ_TODAY,
  PUBLISHED_MODELS,
  type PublishedModel,
  SCORE_COLUMNS,
} from './published-scores.ts';
export { bestIndex, chosenOf, marginOf } from './scores/answer.ts';
export { distributionOf, divergence } from './scores/answer-distribution.ts';
export { mcNemarP, type PairedInterval, pairedPerplexity, perplexityOf } from './scores/significance.ts';
export { gptjTensors, parameterCount, type TensorSpec } from './tensors.ts';
export type { TokenId } from './token.ts';
