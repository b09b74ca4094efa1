import { ApiError, apiErrorOf } from '@gptj-cloud/protocol';
import type { Logger } from '../telemetry/logger.ts';
import type { ErrorDialect } from './error-dialect.ts';

export interface ErrorReplyContext {
  readonly errors: ErrorDialect;
  readonly requestId: string;
  readonly logger: Logger;
}

/**
 * The reply to a request whose handler threw. An error that an `ApiError` caused, such as a failed query, has the reply of
 * its cause. An unexpected error is logged and becomes a 500 with only the request's id.
 */
export function errorReply(thrown: unknown, { errors, requestId, logger }: ErrorReplyContext): Response {
  const error = apiErrorOf(thrown);
  if (error === null) {
    logger.error('request failed', { request_id: requestId, error: thrown });
    return errorReply(new ApiError('internal'), { errors, requestId, logger });
  }
  const headers = new Headers({ 'content-type': 'application/json' });
  for (const [name, value] of Object.entries(error.headers)) headers.set(name, value);
  if (error.status === 401) headers.set('WWW-Authenticate', 'Bearer');
  if (error.retryAfterSeconds !== null) headers.set('Retry-After', String(error.retryAfterSeconds));
  const { status, body } = errors.write(error, requestId);
  return new Response(JSON.stringify(body), { status, headers });
}
