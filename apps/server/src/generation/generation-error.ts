import { ModelError } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';

/** Enough time to start the engine's process again with a small model. */
const RESTART_SECONDS = 5;
/** A load that failed is repeated at the earliest after this time. */
const RELOAD_SECONDS = 30;

/** The error of a generation as an `ApiError` for its caller. Unexpected errors are returned as they are. */
export function toGenerationError(error: unknown): unknown {
  if (!(error instanceof ModelError)) return error;
  switch (error.code) {
    case 'engine_failed':
    case 'engine_lost':
    case 'engine_interrupted':
      return new ApiError(
        'engine_failed',
        { reason: error.message },
        { retryAfterSeconds: RESTART_SECONDS, cause: error },
      );
    case 'aborted':
    case 'closed':
      return new ApiError('shutting_down', {}, { retryAfterSeconds: RESTART_SECONDS, cause: error });
    case 'model_unavailable':
      return new ApiError(error.code, { reason: error.message }, { retryAfterSeconds: RELOAD_SECONDS, cause: error });
    case 'queue_timed_out':
      return new ApiError(error.code, { reason: error.message }, { retryAfterSeconds: RESTART_SECONDS, cause: error });
    case 'generation_timed_out':
    case 'generation_stalled':
      return new ApiError(error.code, { reason: error.message }, { cause: error });
    case 'generation_impossible':
    case 'parameters_refused':
    case 'unknown_adapter':
      return new ApiError('invalid_parameter', { reason: error.message }, { cause: error });
    case 'decoding_too_costly':
      return new ApiError('decoding_too_costly', { reason: error.message }, { cause: error });
    case 'cache_full':
    case 'context_full':
    case 'too_many_sequences':
    case 'out_of_memory':
    case 'unsupported':
      return new ApiError('generation_too_large', { reason: error.message }, { cause: error });
    default:
      return error;
  }
}
