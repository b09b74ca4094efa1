import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, errorBodySchema, toErrorBody } from './api-error.ts';
import { ERROR_CATALOGUE } from './error-catalogue.ts';
import type { ErrorEntry } from './error-entry.ts';

test('an error body is a dict with the message, the code and what to do', () => {
  const error = new ApiError('not_found', { kind: 'run', id: 'run_x' }, { details: { id: 'run_x' } });
  const body = toErrorBody(error, 'req-1');
  assert.equal(error.status, 404);
  assert.deepEqual(errorBodySchema.parse(body), body);
  assert.equal(body.detail.message, 'no run with id run_x');
  assert.deepEqual([body.detail.code, body.detail.id, body.detail.request_id], ['not_found', 'run_x', 'req-1']);
  assert.match(body.detail.remedy ?? '', /check the id/);
});

test('a remedy given with the error replaces the one of the catalogue', () => {
  const { message, details } = new ApiError('not_found', { kind: 'run', id: 'x' }, { remedy: 'ask {id}' });
  assert.deepEqual([message, details.remedy], ['no run with id x', 'ask {id}']);
});

test('does not expand placeholders inside the value of a placeholder', () => {
  assert.equal(new ApiError('not_found', { kind: '{id}', id: '$&' }).message, 'no {id} with id $&');
});

test('no error of a POST has status 422, for which the 2022 clients drop the message', () => {
  const entries: readonly (readonly [string, ErrorEntry])[] = Object.entries(ERROR_CATALOGUE);
  for (const [code, entry] of entries) {
    assert.ok(entry.status >= 400 && entry.status !== 422, code);
    assert.ok(entry.message.length > 0 && entry.remedy.length > 0, code);
  }
});
