import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, toErrorBody } from '@gptj-cloud/protocol';
import { DrizzleQueryError } from 'drizzle-orm';
import { createLogger } from '../telemetry/logger.ts';
import type { ErrorDialect } from './error-dialect.ts';
import { errorReply } from './error-reply.ts';

const errors: ErrorDialect = {
  schema: {},
  write: (error, requestId) => ({ status: error.status, body: toErrorBody(error, requestId) }),
};

function replyTo(error: unknown) {
  const lines: string[] = [];
  const logger = createLogger(
    (line) => lines.push(line),
    () => new Date(0),
  );
  return { reply: errorReply(error, { errors, requestId: 'request-1', logger }), log: lines.join('') };
}

test('answers an unexpected error with a 500 that holds the request id alone, and logs the error', async () => {
  const { reply, log } = replyTo(new TypeError('secret', { cause: new Error('deeper') }));
  assert.equal(reply.status, 500);
  const body = await reply.text();
  assert.match(body, /"request_id":"request-1"/);
  assert.doesNotMatch(body, /secret|TypeError|\.ts/);
  assert.match(log, /^\{"time":"1970.*"request_id":"request-1".*"message":"secret".*deeper.*\}\n$/);
});

test('logs a failed query without its parameters', () => {
  const cause = new Error('connection lost');
  const { log } = replyTo(new DrizzleQueryError('SELECT $1', ['a private prompt'], cause));
  assert.match(log, /SELECT \$1.*connection lost/);
  assert.doesNotMatch(log, /private/);
});

test('sets WWW-Authenticate and Retry-After', () => {
  assert.equal(replyTo(new ApiError('token_missing')).reply.headers.get('www-authenticate'), 'Bearer');
  const busy = replyTo(new ApiError('shutting_down', {}, { retryAfterSeconds: 5 }));
  assert.deepEqual([busy.reply.status, busy.reply.headers.get('retry-after'), busy.log], [503, '5', '']);
});
