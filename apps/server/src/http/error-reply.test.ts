import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { DrizzleQueryError } from 'drizzle-orm';
import { createLogger } from '../telemetry/logger.ts';
import { errorReply } from './error-reply.ts';

function replyTo(error: unknown) {
  const lines: string[] = [];
  const logger = createLogger(
    (line) => lines.push(line),
    () => new Date(0),
  );
  return { reply: errorReply(error, 'request-1', logger), log: lines.join('') };
}

test('an unforeseen error is a 500 that tells only where to look; the log has the rest', async () => {
  const { reply, log } = replyTo(new TypeError('secret', { cause: new Error('deeper') }));
  assert.equal(reply.status, 500);
  const body = await reply.text();
  assert.match(body, /"request_id":"request-1"/);
  assert.doesNotMatch(body, /secret|TypeError|\.ts/);
  assert.match(log, /^\{"time":"1970.*"request_id":"request-1".*"message":"secret".*deeper.*\}\n$/);
});

test('a failed query is logged without its parameters', () => {
  const cause = new Error('connection lost');
  const { log } = replyTo(new DrizzleQueryError('SELECT $1', ['a private prompt'], cause));
  assert.match(log, /SELECT \$1.*connection lost/);
  assert.doesNotMatch(log, /private/);
});

test('refusals carry the headers that belong to them', () => {
  assert.equal(replyTo(new ApiError('token_missing')).reply.headers.get('www-authenticate'), 'Bearer');
  const busy = replyTo(new ApiError('shutting_down', {}, { retryAfterSeconds: 5 }));
  assert.deepEqual([busy.reply.status, busy.reply.headers.get('retry-after'), busy.log], [503, '5', '']);
});
