export type ModelErrorCode =
  | 'invalid_config'
  | 'too_many_sequences'
  | 'unknown_sequence'
  | 'cache_full'
  | 'context_full'
  | 'batch_too_large'
  | 'unsupported'
  | 'aborted'
  | 'closed'
  | 'library_missing'
  | 'library_unknown'
  | 'model_file_invalid'
  | 'out_of_memory'
  | 'generation_impossible'
  | 'snapshot_invalid'
  | 'engine_failed';

/** Anything a model or an engine refuses. The code says which situation; the message says what was expected and what came. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
