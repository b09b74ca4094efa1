import type { ApiError } from '@gptj-cloud/protocol';

/** The parts of an error that a client receives. */
export type ErrorContent = Pick<ApiError, 'message' | 'code' | 'status' | 'details'>;

/** An error as the event that ends a stream. Its headers have been sent, so the remedy holds the time of Retry-After. */
export function toStreamError(error: ApiError): ErrorContent {
  const { message, code, status, details, retryAfterSeconds } = error;
  if (retryAfterSeconds === null) return error;
  const remedy = `wait ${retryAfterSeconds} second${retryAfterSeconds === 1 ? '' : 's'} and send the request again`;
  return { message, code, status, details: { ...details, remedy } };
}
