import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_ROWS, STEP_FIELDS } from './layout.ts';
import { loadKernels } from './library.ts';

/** `STEP_INVALID` of `abi.h`. */
const STEP_INVALID = 2;

describe('a step of the native library', () => {
  for (const [rows, threads] of [
    [0, 1],
    [-1, 1],
    [MAX_ROWS + 1, 1],
    [1, 0],
    [1, -1],
    [1, 257],
  ] as const) {
    it(`is refused before it reads anything: ${rows} rows, ${threads} threads`, async () => {
      const words = new BigInt64Array(STEP_FIELDS.length);
      words[STEP_FIELDS.indexOf('rows')] = BigInt(rows);
      words[STEP_FIELDS.indexOf('threads')] = BigInt(threads);
      assert.equal(await loadKernels().step(words), STEP_INVALID);
    });
  }
});
