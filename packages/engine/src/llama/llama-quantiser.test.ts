import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openQuantiser } from './llama-quantiser.ts';
import { createQuantiseThreads } from './quantise-threads.ts';

const ROW_LENGTH = 512;

function numbers(rows: number, seed: number): Float32Array {
  return Float32Array.from({ length: rows * ROW_LENGTH }, (_, i) => Math.sin(seed + i * 0.7) * (1 + (i % 13)));
}

test('rows are quantised to the same bytes by threads of our own and by calls on the pool', async () => {
  const [few, many] = [openQuantiser({ threads: 1 }), openQuantiser({ threads: 6 })];
  const importance = Float32Array.from({ length: ROW_LENGTH }, (_, i) => 1 + (i % 5));
  for (const type of ['q8_0', 'q6_K', 'q5_K', 'q4_K', 'q4_0'] as const) {
    // Fewer rows than threads, a number that does not divide, and several calls at a time.
    const requests = [3, 17, 64].map((rows, i) => ({
      rows: numbers(rows, i),
      importance: i === 1 ? importance : null,
    }));
    const quantise = (quantiser: typeof few): Promise<readonly Uint8Array[]> =>
      Promise.all(requests.map((each) => quantiser.quantise(type, each.rows, ROW_LENGTH, each.importance)));
    const [expected, actual] = [await quantise(few), await quantise(many)];
    assert.deepEqual(actual, expected, type);
    assert.ok(expected.every((bytes) => bytes.some((byte) => byte !== 0)));
  }
});

test('a thread that cannot load the library fails the call, and the next one too', async () => {
  const quantise = createQuantiseThreads('/no/such/folder', 5);
  const request = { type: 8, rows: numbers(8, 0), rowLength: ROW_LENGTH, bytesPerRow: 544, importance: null };
  for (let call = 0; call < 2; call++) await assert.rejects(quantise(request), /no such file|expected libggml/);
});
