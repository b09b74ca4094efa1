export type ModelErrorCode =
  /** A model configuration is out of range or contradicts itself. */
  | 'invalid_config'
  /** More sequences are open than the model was opened with. */
  | 'too_many_sequences'
  /** A sequence was released, or belongs to another model. */
  | 'unknown_sequence'
  /** The key-value cache has no free cells for the step. */
  | 'cache_full'
  /** A sequence would grow beyond the context length of the model. */
  | 'context_full'
  /** One evaluation has more tokens than the batch limit of the model. */
  | 'batch_too_large'
  /** This engine lacks the operation, for example logits of inner layers. */
  | 'unsupported'
  /** A sequence uses an adapter that the model was not opened with. */
  | 'unknown_adapter'
  /** The caller aborted the work. */
  | 'aborted'
  /** The model was closed. */
  | 'closed'
  /** The library of the engine is not installed, or not made for this platform. */
  | 'library_missing'
  /** The library of the engine has another version or layout than this release supports. */
  | 'library_unknown'
  /** The model file is not a GGUF file that `gptj convert` writes. */
  | 'model_file_invalid'
  /** The model or its cache does not fit the memory. */
  | 'out_of_memory'
  /** The model of the generation is not loaded, and loading it failed. */
  | 'model_unavailable'
  /** The parameters leave no token to choose, or need a capability that the engine lacks. */
  | 'generation_impossible'
  /** The engine computes elsewhere, at a server that does not honour these parameters as `generate` does. */
  | 'parameters_refused'
  /** The server of an engine has another model or tokenizer, or computes other values. */
  | 'engine_mismatch'
  /** The parameters need more work or memory of the decoder than one generation may take. */
  | 'decoding_too_costly'
  /** A stored prefix is damaged or belongs to another model. */
  | 'snapshot_invalid'
  /** The generation waited for cache longer than its request allows. */
  | 'queue_timed_out'
  /** The generation was computed for longer than its request allows. */
  | 'generation_timed_out'
  /** One step of this generation kept the engine busy for too long, and the engine's process was ended for it. */
  | 'generation_stalled'
  /** The engine's process was ended because another generation stalled it. */
  | 'engine_interrupted'
  /** The engine's process ended for an unknown reason while it ran several generations. */
  | 'engine_lost'
  /** The engine's process ended while it ran this generation alone, or failed for a reason that no other code names. */
  | 'engine_failed';

/** Thrown by models and engines. The message states the expected and the actual value. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
