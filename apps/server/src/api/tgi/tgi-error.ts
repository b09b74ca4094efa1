import type { ApiError } from '@gptj-cloud/protocol';
import type { ToldError } from '../../generation/event-error.ts';

/** The body of an error as clients of Hugging Face's services read it. */
export interface TgiErrorBody {
  error: string;
  /** Clients raise an exception of their own by it. */
  error_type: 'validation' | 'overloaded' | 'generation' | 'unavailable' | 'auth' | 'unknown';
}

export function toTgiError(error: ToldError): TgiErrorBody {
  const { remedy } = error.details;
  return {
    error: typeof remedy === 'string' ? `${error.message}; ${remedy}` : error.message,
    error_type: typeOf(error),
  };
}

/** TGI answers what it cannot validate with 422. */
export function tgiStatus(error: ApiError): number {
  return error.status === 400 ? 422 : error.status;
}

function typeOf({ status }: ToldError): TgiErrorBody['error_type'] {
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
