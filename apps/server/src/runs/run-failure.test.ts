import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError, type ModelErrorCode } from '@gptj-cloud/model';
import { toRunFailure } from './run-failure.ts';

test('each failure of the engine becomes one of the three errors that clients know', () => {
  const failureOf = (code: ModelErrorCode): unknown => {
    const { failure, retry, unexpected } = toRunFailure(new ModelError(code, 'why'));
    return [failure.error, retry, unexpected];
  };
  assert.deepEqual(failureOf('engine_failed'), ['max_retries', true, false]);
  assert.deepEqual(failureOf('aborted'), ['max_retries', false, false]);
  assert.deepEqual(failureOf('cache_full'), ['unsatisfiable', false, false]);
  assert.deepEqual(failureOf('context_full'), ['pipeline_fault', false, false]);
  assert.deepEqual(failureOf('decoding_too_costly'), ['pipeline_fault', false, false]);
});

test('an unexpected error is a pipeline fault without its details', () => {
  const { failure, retry, unexpected } = toRunFailure(new TypeError('secret'));
  assert.deepEqual([failure.error, retry, unexpected], ['pipeline_fault', false, true]);
  assert.doesNotMatch(JSON.stringify(failure), /secret/);
});
