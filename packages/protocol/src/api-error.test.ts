import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, errorBodySchema, toErrorBody } from './api-error.ts';
import { ERROR_CATALOGUE, type ErrorEntry } from './error-catalogue.ts';

test('an error body is a dict with the message, the code and what to do', () => {
  const error = new ApiError('not_found', { kind: 'run', id: 'run_x' }, { details: { id: 'run_x' } });
  const body = toErrorBody(error, 'req-1');
  assert.equal(error.status, 404);
  assert.deepEqual(errorBodySchema.parse(body), body);
  assert.equal(body.detail.message, 'no run with id run_x');
  assert.deepEqual([body.detail.code, body.detail.id, body.detail.request_id], ['not_found', 'run_x', 'req-1']);
  assert.match(body.detail.remedy ?? '', /check the id/);
});

test('where the remedy of the catalogue does not fit, another one takes its place', () => {
  const { message, details } = new ApiError('not_found', { kind: 'run', id: 'x' }, { remedy: 'ask {id}' });
  assert.deepEqual([message, details.remedy], ['no run with id x', 'ask {id}']);
});

test('a value of a placeholder is not read for placeholders itself', () => {
  assert.equal(new ApiError('not_found', { kind: '{id}', id: '$&' }).message, 'no {id} with id $&');
});

test('no error that a POST may meet is 422, whose text the old clients drop', () => {
  const entries: readonly (readonly [string, ErrorEntry])[] = Object.entries(ERROR_CATALOGUE);
  for (const [code, entry] of entries) {
    assert.ok(entry.status >= 400 && entry.status !== 422, code);
    assert.ok(entry.message.length > 0 && entry.remedy.length > 0, code);
  }
});
