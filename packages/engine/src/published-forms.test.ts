/**
 * The lossless forms in packages/checkpoint/fixtures/published: the weights of cases/a01-lm-head-not-contiguous, whose logits
 * transformers 5.18 has computed in float32.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';
import { openModel } from './open-model.ts';

const PUBLISHED = fileURLToPath(new URL('../../checkpoint/fixtures/published/', import.meta.url));
const TOLERANCE = 1e-4;

const FORMS: readonly string[] = [
  'ggml/base-f32.bin',
  'ggml/base-f32-transposed.bin',
  'mesh/slim-f32.tar.zst',
  'mesh/full-f32.tar.zst',
];

for (const form of FORMS) {
  test(`${form} gives the logits of transformers`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'gptj-form-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'model.gguf');
    await convertCheckpoint({ source: join(PUBLISHED, form), target: path, type: 'f32' });
    const expected: { ids: number[]; argmax: number[]; last_row_first_4: number[] } = JSON.parse(
      readFileSync(join(PUBLISHED, 'ggml', 'expected.json'), 'utf8'),
    );
    const { model, close } = await openModel({ path, kind: 'reference' });
    t.after(close);
    const [result] = await model.evaluate([{ sequence: model.open(), tokens: expected.ids, scored: 'all' }]);
    const rows = result!.logits;
    assert.deepEqual(
      rows.map((row) => row.indexOf(Math.max(...row))),
      expected.argmax,
    );
    for (const [i, logit] of expected.last_row_first_4.entries()) {
      const difference = Math.abs(rows[rows.length - 1]![i]! - logit);
      assert.ok(difference <= TOLERANCE, `logit ${i} differs by ${difference}`);
    }
  });
}
