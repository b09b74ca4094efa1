import { ApiError } from '@gptj-cloud/protocol';
import { type AskedAddress, inDialectOf } from '../api/error-dialect.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * The reply to a request that threw, in the words of the API that it asked. What nobody foresaw becomes a 500 that says
 * nothing but where to look.
 */
export function errorReply(
  error: unknown,
  requestId: string,
  logger: Logger,
  asked: AskedAddress = { method: 'GET', path: '/v2' },
): Response {
  if (!(error instanceof ApiError)) {
    logger.error('request failed', { request_id: requestId, error });
    return errorReply(new ApiError('internal'), requestId, logger, asked);
  }
  const headers = new Headers({ 'content-type': 'application/json' });
  if (error.status === 401) headers.set('WWW-Authenticate', 'Bearer');
  if (error.retryAfterSeconds !== null) headers.set('Retry-After', String(error.retryAfterSeconds));
  const { status, body } = inDialectOf(asked, error, requestId);
  return new Response(JSON.stringify(body), { status, headers });
}
