import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { inDialectOf } from './error-dialect.ts';

const say = (method: string, path: string, error: ApiError) => inDialectOf({ method, path }, error, 'request-1');

test('every API hears of errors in its own words', () => {
  const error = new ApiError('invalid_parameter', { reason: 'n: wrong' }, { details: { parameters: ['n'] } });
  const openAi = say('POST', '/v1/completions', error);
  assert.equal(openAi.status, 400);
  assert.match(
    JSON.stringify(openAi.body),
    /^\{"error":\{"message":"n: wrong;.*"param":"n","code":"invalid_parameter"\}\}$/,
  );
  for (const [method, path] of [
    ['POST', '/generate'],
    ['POST', '/generate_stream/'],
    ['POST', '/models/EleutherAI/gpt-j-6b'],
    ['POST', '/'],
  ] as const) {
    const tgi = say(method, path, error);
    assert.equal(tgi.status, 422);
    assert.match(JSON.stringify(tgi.body), /^\{"error":"n: wrong;.*","error_type":"validation"\}$/);
  }
  // These APIs have no runs.
  for (const path of ['/v1/completions', '/generate', '/complete']) {
    for (const code of ['invalid_parameter', 'generation_too_large', 'too_many_runs', 'engine_failed'] as const) {
      const { body } = say('POST', path, new ApiError(code, { reason: 'x', waiting: 1, limit: 1 }));
      assert.doesNotMatch(JSON.stringify(body), /send the run/);
    }
  }
  assert.match(JSON.stringify(say('POST', '/complete', error).body), /^\{"error":"n: wrong;[^{]*"\}$/);
  for (const path of ['/v2/runs', '/v10/x', '/generated', '/']) {
    assert.match(JSON.stringify(say('GET', path, error).body), /^\{"detail":\{"message":"n: wrong"/);
  }
});

test('tokens that do not work and limits have the codes that programs look for', () => {
  const codeOf = (error: ApiError): unknown =>
    JSON.parse(JSON.stringify(say('POST', '/v1/completions', error).body)).error.code;
  assert.equal(codeOf(new ApiError('token_unknown')), 'invalid_api_key');
  assert.equal(codeOf(new ApiError('rate_limited')), 'rate_limit_exceeded');
  assert.equal(codeOf(new ApiError('quota_exceeded')), 'insufficient_quota');
  assert.equal(say('POST', '/v1/completions', new ApiError('quota_exceeded')).status, 429);
  assert.equal(codeOf(new ApiError('model_unknown', { model: 'x', known: 'y' })), 'model_not_found');
});
