export { allowedNextOf } from './allowed-next.ts';
export { computedTokens, countPositions, maxComputedTokens } from './computed-tokens.ts';
export { DecodingError, type DecodingErrorCode } from './decoding-error.ts';
export type { Drafting } from './drafting.ts';
export { runStrategy, type Scorer } from './drive.ts';
export { findDraft } from './find-draft.ts';
export { type GenerateDependencies, type GenerateRequest, generate } from './generate.ts';
export type {
  AllowedTokens,
  CompatVersion,
  Constraint,
  CustomProcessor,
  DecodingMode,
  GenerateConfig,
  SequenceBias,
} from './generate-config.ts';
export type {
  BeamCandidate,
  FinishReason,
  GeneratedSequence,
  GenerateOutcome,
  ScoreRow,
  TokenLogprob,
  TokenReport,
} from './generate-outcome.ts';
export type { LogitsProcessor, LogitsRow } from './logits-processor.ts';
export { applyLogitsProcessors, buildLogitsProcessors, type LogitsProcessorList } from './logits-processor-list.ts';
export { maxRows } from './max-rows.ts';
export type { NoiseSource } from './noise.ts';
export { expOfNegative } from './numerics/exponential.ts';
export { logSumExp } from './numerics/log-softmax.ts';
export { ParameterError, type ParameterErrorCode } from './parameter-error.ts';
export { mergeGenerationConfig } from './parameters/caller-fields.ts';
export { describeParameters, type ParameterDescription, parameterSchemas } from './parameters/describe-parameters.ts';
export { givenParameters, readSplitSpecialTokens } from './parameters/given-parameters.ts';
export { editDistance, nearestName } from './parameters/nearest-name.ts';
export {
  LIMITS as PARAMETER_LIMITS,
  type ModelContext,
  type ParameterContext,
} from './parameters/parameter-context.ts';
export {
  chooseDefaults,
  NEVER_SAMPLED,
  type ParameterDefaults,
  type SamplingRule,
} from './parameters/parameter-defaults.ts';
export { PARAMETER_GROUP_TITLES } from './parameters/parameter-groups.ts';
export type { ParameterGroup, ParameterRecord } from './parameters/parameter-record.ts';
export { knownParameters } from './parameters/parameter-table.ts';
export {
  type ParametersForPrompt,
  type ParsedParameters,
  parseGenerateParameters,
  readGenerateParameters,
} from './parameters/parse-generate-parameters.ts';
export { checkPattern } from './parameters/read-allowed-tokens.ts';
export {
  contextExceeded,
  describeRunParameters,
  fitsContext,
  type ParsedRunParameters,
  parseRunParameters,
  RUN_DEFAULTS,
} from './parameters/run-parameters.ts';
export { selectingParameters } from './parameters/selecting-parameters.ts';
export { showValue } from './parameters/show-value.ts';
export type { StopRule } from './stopping/stop-rule.ts';
export { stopRuleOf } from './stopping/stop-rule-of.ts';
export type { FinalTokens, Row, RowResult, ScoreRequest, ScoreResult, Strategy } from './strategy.ts';
export {
  MAX_STEPS_PER_EVALUATION,
  MAX_STEPS_PER_GENERATION,
  MAX_TABLE_BYTES,
  type WorkBudget,
  type WorkLimits,
  workBudget,
} from './work-budget.ts';
