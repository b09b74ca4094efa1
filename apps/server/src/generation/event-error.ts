import type { ApiError } from '@gptj-cloud/protocol';

/** What a client is told of an error. */
export type ToldError = Pick<ApiError, 'message' | 'code' | 'status' | 'details'>;

/** An error as the event that ends a stream. Its headers have gone: what Retry-After would say stands in the remedy. */
export function eventError(error: ApiError): ToldError {
  const { message, code, status, details, retryAfterSeconds } = error;
  if (retryAfterSeconds === null) return error;
  const remedy = `wait ${retryAfterSeconds} second${retryAfterSeconds === 1 ? '' : 's'} and send the request again`;
  return { message, code, status, details: { ...details, remedy } };
}
