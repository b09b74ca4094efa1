import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ImportanceMatrix } from '../importance.ts';
import { temporaryFolder } from '../reader.contract.ts';
import { readImportance, writeImportance } from './importance-file.ts';

const MATRIX: ImportanceMatrix = {
  chunkCount: 3,
  chunkSize: 128,
  entries: new Map([
    ['blk.0.attn_q.weight', { squares: Float32Array.of(1, 0, 2.5, 1e-9), rows: 384 }],
    ['blk.0.ffn_down.weight', { squares: Float32Array.of(7), rows: 384 }],
  ]),
};

test('an importance matrix is read as it was written', async (t) => {
  const path = join(temporaryFolder(t), 'imatrix.gguf');
  await writeImportance(path, MATRIX, { dataset: 'text.txt' });
  assert.deepEqual(await readImportance(path), MATRIX);
  await assert.rejects(writeImportance(path, MATRIX, { dataset: 'text.txt' }), { code: 'target_exists' });
});

test('numbers that are negative, infinite or no numbers are refused', async (t) => {
  const folder = temporaryFolder(t);
  for (const [i, value] of [-1, Number.POSITIVE_INFINITY, Number.NaN].entries()) {
    const path = join(folder, `${i}.gguf`);
    const entries = new Map([['a', { squares: Float32Array.of(1, value), rows: 1 }]]);
    await writeImportance(path, { ...MATRIX, entries }, { dataset: '' });
    await assert.rejects(readImportance(path), { code: 'out_of_range', message: /finite/ });
  }
});

test('a file without counts, of another type, or cut off is refused', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'imatrix.gguf');
  await writeImportance(path, MATRIX, { dataset: 'text.txt' });
  const bytes = readFileSync(path);
  const damaged = (name: string, from: string, to: string): string => {
    const text = bytes.toString('latin1').replace(from, to);
    writeFileSync(join(folder, name), text, 'latin1');
    return join(folder, name);
  };
  await assert.rejects(readImportance(damaged('counts', 'attn_q.weight.counts', 'attn_q.weight.kounts')), {
    code: 'malformed',
    message: /expected a tensor \.counts/,
  });
  await assert.rejects(readImportance(damaged('type', 'imatrix', 'adapter')), {
    code: 'unsupported',
    message: /adapter/,
  });
  writeFileSync(join(folder, 'cut'), bytes.subarray(0, -40));
  await assert.rejects(readImportance(join(folder, 'cut')), { code: 'truncated' });
});
