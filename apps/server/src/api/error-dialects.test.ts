import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { createDirectApp } from '../testing/direct-app.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { byteModel } from '../testing/scripted-model.ts';
import { meshErrors, openAiErrors, pipelineCloudErrors, tgiErrors } from './error-dialects.ts';

const write = (dialect: typeof openAiErrors, error: ApiError) => {
  const { status, body } = dialect.write(error, 'request-1');
  return { status, text: JSON.stringify(body) };
};

test('writes an error as the clients of each API read it', () => {
  const error = new ApiError('invalid_parameter', { reason: 'n: wrong' }, { details: { parameters: ['n'] } });
  const openAi = write(openAiErrors, error);
  assert.equal(openAi.status, 400);
  assert.match(openAi.text, /^\{"error":\{"message":"n: wrong;.*"param":"n","code":"invalid_parameter"\}\}$/);
  const tgi = write(tgiErrors, error);
  assert.equal(tgi.status, 422);
  assert.match(tgi.text, /^\{"error":"n: wrong;.*","error_type":"validation"\}$/);
  assert.match(write(meshErrors, error).text, /^\{"error":"n: wrong;[^{]*"\}$/);
  assert.match(write(pipelineCloudErrors, error).text, /^\{"detail":\{"message":"n: wrong"/);
});

test('does not advise clients of the compatible APIs, which have no runs, to send a run', () => {
  for (const dialect of [openAiErrors, tgiErrors, meshErrors]) {
    for (const code of ['invalid_parameter', 'generation_too_large', 'too_many_runs', 'engine_failed'] as const) {
      assert.doesNotMatch(
        write(dialect, new ApiError(code, { reason: 'x', waiting: 1, limit: 1 })).text,
        /send the run/,
      );
    }
  }
});

test("maps errors of tokens, models and limits to the codes of OpenAI's API", () => {
  const codeOf = (error: ApiError): unknown => JSON.parse(write(openAiErrors, error).text).error.code;
  assert.equal(codeOf(new ApiError('token_unknown')), 'invalid_api_key');
  assert.equal(codeOf(new ApiError('rate_limited')), 'rate_limit_exceeded');
  assert.equal(codeOf(new ApiError('quota_exceeded')), 'insufficient_quota');
  assert.equal(write(openAiErrors, new ApiError('quota_exceeded')).status, 429);
  assert.equal(codeOf(new ApiError('model_unknown', { model: 'x', known: 'y' })), 'model_not_found');
});

test('answers known and unknown addresses in the dialect of the nearest route', async () => {
  const engine = createScriptedEngine(() => ({ sequences: [] }));
  const { app } = createDirectApp({ engine, model: byteModel(engine) });
  const forms = [
    ['POST', '/v1/completions', 400, /^\{"error":\{"message":/],
    ['PUT', '/v1/completions', 405, /^\{"error":\{"message":/],
    ['POST', '/v1/embeddings', 404, /^\{"error":\{"message":/],
    ['GET', '/v1', 404, /^\{"error":\{"message":/],
    ['POST', '/generate', 422, /^\{"error":".*","error_type":"validation"\}$/],
    ['POST', '/generate_stream/', 422, /^\{"error":".*","error_type":"validation"\}$/],
    ['POST', '/models/EleutherAI/gpt-j-6b', 422, /^\{"error":".*","error_type":"validation"\}$/],
    ['POST', '/', 422, /^\{"error":".*","error_type":"validation"\}$/],
    ['POST', '/complete', 400, /^\{"error":"[^{]*"\}$/],
    ['GET', '/v2/nothing', 404, /^\{"detail":\{"message":/],
    ['POST', '/v2/nothing', 403, /^\{"detail":\{"message":/],
    ['GET', '/v10/x', 404, /^\{"detail":\{"message":/],
    ['GET', '/generated', 404, /^\{"detail":\{"message":/],
  ] as const;
  for (const [method, path, status, body] of forms) {
    const headers = { authorization: 'Bearer token' };
    const reply = await app.request(path, { method, headers, ...(method === 'POST' ? { body: '{' } : {}) });
    const text = await reply.text();
    assert.equal(reply.status, status, `${method} ${path}: ${text}`);
    assert.match(text, body, `${method} ${path}`);
  }
});
