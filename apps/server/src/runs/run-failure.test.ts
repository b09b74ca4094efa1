import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError, type ModelErrorCode } from '@gptj-cloud/model';
import { toRunFailure } from './run-failure.ts';

test('each failure of the engine becomes one of the three errors that clients know', () => {
  const failureOf = (code: ModelErrorCode): unknown => {
    const { failure, retry, unexpected } = toRunFailure(new ModelError(code, 'why'));
    return [failure.error, retry, unexpected];
  };
  assert.deepEqual(failureOf('engine_failed'), ['max_retries', 'own', false]);
  assert.deepEqual(failureOf('engine_lost'), ['max_retries', 'shared', false]);
  assert.deepEqual(failureOf('engine_interrupted'), ['max_retries', 'blameless', false]);
  assert.deepEqual(failureOf('generation_stalled'), ['unsatisfiable', null, false]);
  assert.deepEqual(failureOf('aborted'), ['max_retries', null, false]);
  assert.deepEqual(failureOf('cache_full'), ['unsatisfiable', null, false]);
  assert.deepEqual(failureOf('context_full'), ['pipeline_fault', null, false]);
  assert.deepEqual(failureOf('decoding_too_costly'), ['pipeline_fault', null, false]);
});

test('an unexpected error is a pipeline fault without its details', () => {
  const { failure, retry, unexpected } = toRunFailure(new TypeError('secret'));
  assert.deepEqual([failure.error, retry, unexpected], ['pipeline_fault', null, true]);
  assert.doesNotMatch(JSON.stringify(failure), /secret/);
});
