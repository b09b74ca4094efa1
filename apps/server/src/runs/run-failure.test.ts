import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError, type ModelErrorCode } from '@gptj-cloud/model';
import { judgeFailure } from './run-failure.ts';

test('each failure of the engine becomes one of the three errors that clients know', () => {
  const verdict = (code: ModelErrorCode): unknown => {
    const { failure, retry, unexpected } = judgeFailure(new ModelError(code, 'why'));
    return [failure.error, retry, unexpected];
  };
  assert.deepEqual(verdict('engine_failed'), ['max_retries', true, false]);
  assert.deepEqual(verdict('aborted'), ['max_retries', false, false]);
  assert.deepEqual(verdict('cache_full'), ['unsatisfiable', false, false]);
  assert.deepEqual(verdict('context_full'), ['pipeline_fault', false, false]);
});

test('what nobody foresaw is a fault whose details stay here', () => {
  const { failure, retry, unexpected } = judgeFailure(new TypeError('secret'));
  assert.deepEqual([failure.error, retry, unexpected], ['pipeline_fault', false, true]);
  assert.doesNotMatch(JSON.stringify(failure), /secret/);
});
