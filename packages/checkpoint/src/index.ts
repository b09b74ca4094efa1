export {
  type AdapterSummary,
  type AdapterWeights,
  checkAdapter,
  convertAdapter,
  fitOf,
  readAdapter,
} from './adapter/adapter-file.ts';
export type { GrowingFile } from './bounded-file.ts';
export type { CheckpointFormat, CheckpointTensor } from './checkpoint.ts';
export { CheckpointError, type CheckpointErrorCode, type CheckpointErrorPlace } from './checkpoint-error.ts';
export {
  type ConvertOptions,
  type ConvertSummary,
  convertCheckpoint,
} from './convert.ts';
export { type ConvertedOnce, type ConvertOnceOptions, convertOnce } from './convert-once.ts';
export { GGML_ERAS, type GgmlEra } from './ggml/era.ts';
export { type GgufTensorPlan, planBytes } from './gguf/header-bytes.ts';
export { readImportance, writeImportance } from './gguf/importance-file.ts';
export type { GgufMetadata, GgufValue } from './gguf/metadata.ts';
export { openStoredWeights, type StoredTensor, type StoredWeights } from './gguf/open.ts';
export { type Phi2ExportOptions, phi2Metadata, phi2Tensors } from './gguf/phi2-export.ts';
export { GgufWriter, type GgufWriterOptions } from './gguf/writer.ts';
export type { ImportanceEntry, ImportanceMatrix } from './importance.ts';
export { inspectModel, type ModelReport, type TensorReport, type TokenizerReport } from './inspect.ts';
export { type OpenOptions, openCheckpoint, type SourceKind, sourceKind } from './open-checkpoint.ts';
export { isConvertedByFile, openPartialConversion, type PartialConversion } from './parts/partial-conversion.ts';
export type { TypeFallback } from './plan-export.ts';
export type { Quantiser } from './quantiser.ts';
export { FILE_TYPES, RECIPES, type Recipe, type TensorTypeChoice, tensorType } from './recipe.ts';
export { type FloatType, TENSOR_TYPES, type TensorType, type TensorTypeFacts } from './tensor-type.ts';
export type { ConvertProgress } from './transfer.ts';
export { openGgufWeights, type Weights } from './weights.ts';
