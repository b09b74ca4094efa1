import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID, isId, newId } from './ids.ts';
import { runCreateSchema } from './runs.ts';

test('accepts a run with all seven keys, nulls included, and one with two keys', () => {
  const full = {
    pipeline_id: GPTJ_PIPELINE_ID,
    function_id: null,
    data: null,
    data_id: 'data_5476e762db664bd184066c805635a4c2',
    blocking: false,
    compute_type: null,
    compute_requirements: null,
  };
  assert.deepEqual(runCreateSchema.parse(full), full);
  const short = { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 4 }] };
  assert.deepEqual(runCreateSchema.parse({ ...short, unknown: 1 }), short);
});

test('requires exactly one of pipeline_id and function_id, and one of data and data_id', () => {
  const paths = (body: unknown): unknown =>
    runCreateSchema.safeParse(body).error?.issues.map((issue) => issue.path.join('.'));
  assert.deepEqual(paths({}), ['pipeline_id', 'data']);
  assert.deepEqual(paths({ pipeline_id: 'p', function_id: 'f', data: [], data_id: 'd' }), ['function_id', 'data_id']);
  assert.deepEqual(paths({ pipeline_id: 7, data: [] }), ['pipeline_id']);
  assert.deepEqual(paths([]), ['']);
  for (const vram of [1.5, -1, 2 ** 31, '1']) {
    const body = { pipeline_id: 'p', data: [], compute_requirements: { min_gpu_vram_mb: vram } };
    assert.deepEqual(paths(body), ['compute_requirements.min_gpu_vram_mb']);
  }
});

test('accepts ids of a kind and 32 lower-case hex digits only', () => {
  assert.ok(isId('pipeline', GPTJ_PIPELINE_ID));
  assert.ok(isId('run', newId('run')));
  assert.notEqual(newId('run'), newId('run'));
  for (const bad of ['run_', 'run_123', `run_${'G'.repeat(32)}`, `run_${'A'.repeat(32)}`, `file_${'a'.repeat(32)}`]) {
    assert.equal(isId('run', bad), false, bad);
  }
});
