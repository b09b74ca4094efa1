import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldErrorsOf, isConnectionLost, isSessionEnded, problemOf } from './problem.ts';

test('a refusal states the message, the remedy and the request of its detail', () => {
  const problem = problemOf({
    status: 429,
    message: '429: too many runs (wait)',
    detail: {
      message: 'too many runs',
      code: 'too_many_runs',
      remedy: 'wait',
      request_id: 'req_1',
      retry_after_ms: 900,
    },
  });
  assert.deepEqual(
    [problem.status, problem.code, problem.message, problem.remedy, problem.requestId, problem.retryAfterMs],
    [429, 'too_many_runs', 'too many runs', 'wait', 'req_1', 900],
  );
});

test('an error without a reply is a lost connection only when the request failed', () => {
  assert.equal(isConnectionLost(new TypeError('fetch failed')), true);
  assert.equal(isConnectionLost({ status: null, code: 'connection_failed' }), true);
  assert.equal(isConnectionLost(new Error('no such column')), false);
  assert.equal(isConnectionLost({ status: 503, code: 'not_ready' }), false);
});

test('errors of fields are found by the name of the field', () => {
  const errors = [{ parameter: 'body->email', error: 'expected an e-mail address' }, { error: 'no name' }, 7];
  assert.deepEqual(fieldErrorsOf({ status: 400, detail: { errors } }), { email: 'expected an e-mail address' });
  assert.deepEqual(fieldErrorsOf(new Error('failed')), {});
});

test('a session has ended when the server says it, not when a password is wrong', () => {
  assert.equal(isSessionEnded({ status: 401, detail: { code: 'token_missing' } }), true);
  assert.equal(isSessionEnded({ status: 401, detail: { code: 'session_ended' } }), true);
  assert.equal(isSessionEnded({ status: 401, detail: { code: 'sign_in_failed' } }), false);
});
