import type { ApiError } from '@gptj-cloud/protocol';
import type { ErrorContent } from '../../generation/stream-error.ts';

/** The body of an error in the form that clients of Hugging Face's services read. */
export interface TgiErrorBody {
  error: string;
  /** Selects the exception that clients raise. */
  error_type: 'validation' | 'overloaded' | 'generation' | 'unavailable' | 'auth' | 'unknown';
}

export function toTgiError(error: ErrorContent): TgiErrorBody {
  const { remedy } = error.details;
  return {
    error: typeof remedy === 'string' ? `${error.message}; ${remedy}` : error.message,
    error_type: typeOf(error),
  };
}

/** TGI answers invalid requests with 422. */
export function tgiStatus(error: ApiError): number {
  return error.status === 400 ? 422 : error.status;
}

function typeOf({ status }: ErrorContent): TgiErrorBody['error_type'] {
  switch (status) {
    case 400:
    case 413:
    case 415:
      return 'validation';
    case 401:
    case 403:
      return 'auth';
    case 429:
      return 'overloaded';
    case 500:
      return 'generation';
    case 503:
      return 'unavailable';
    default:
      return 'unknown';
  }
}
