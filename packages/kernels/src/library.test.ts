import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_ROWS, STEP_FIELDS } from './layout.ts';
import { instructionSetsUpTo, loadKernels } from './library.ts';

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

describe('the largest of a row of logits', () => {
  const library = loadKernels();
  const sets = instructionSetsUpTo(library.fastest);
  const values = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * i)));

  for (const set of sets) {
    it(`is found wherever it is, on ${set}`, () => {
      for (const count of [1, 15, 256, 257, 1000, 50_400]) {
        for (const at of [0, 1, 16, 255, 256, count - 1]) {
          if (at >= count) continue;
          const row = values(count);
          row[at] = 2;
          assert.equal(library.argmax(row, set), at, `${at} of ${count}`);
        }
      }
    });

    it(`is the first of equal ones, on ${set}`, () => {
      const row = values(1000);
      for (const at of [999, 700, 300]) row[at] = 3;
      assert.equal(library.argmax(row, set), 300);
      assert.equal(library.argmax(new Float32Array(1000), set), 0);
    });

    it(`is found beside NaN and -inf, and is none where nothing else is, on ${set}`, () => {
      for (const at of [0, 100, 511]) {
        const row = new Float32Array(512).fill(Number.NaN);
        row[at] = -5;
        assert.equal(library.argmax(row, set), at);
        row[at] = Number.NEGATIVE_INFINITY;
        assert.equal(library.argmax(row, set), -1);
      }
      assert.equal(library.argmax(new Float32Array(512).fill(Number.NEGATIVE_INFINITY), set), -1);
      assert.equal(library.argmax(new Float32Array(0), set), -1);
    });
  }
});
