import { ApiError, toErrorBody } from '@gptj-cloud/protocol';
import type { Logger } from '../logger.ts';

/** The reply to a request that threw. What nobody foresaw becomes a 500 that says nothing but where to look. */
export function errorReply(error: unknown, requestId: string, logger: Logger): Response {
  if (!(error instanceof ApiError)) {
    logger.error('request failed', { request_id: requestId, error });
    return errorReply(new ApiError('internal'), requestId, logger);
  }
  const headers = new Headers({ 'content-type': 'application/json' });
  if (error.status === 401) headers.set('WWW-Authenticate', 'Bearer');
  if (error.retryAfterSeconds !== null) headers.set('Retry-After', String(error.retryAfterSeconds));
  return new Response(JSON.stringify(toErrorBody(error, requestId)), { status: error.status, headers });
}
