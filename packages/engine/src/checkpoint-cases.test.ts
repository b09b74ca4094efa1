/**
 * Checkpoints of packages/checkpoint/fixtures/cases, each with `expected.json` from transformers 5.18 in float32: logits
 * of five tokens and tokens of texts. The converted models must give the same values, or be refused with the expected code.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CheckpointError, type CheckpointErrorCode, convertCheckpoint } from '@gptj-cloud/checkpoint';
import { openModel } from './open-model.ts';

const CASES = fileURLToPath(new URL('../../checkpoint/fixtures/cases/', import.meta.url));

interface Expected {
  readonly ids: readonly number[];
  readonly texts: readonly string[];
  readonly tokens: readonly (readonly number[])[];
  readonly argmax: readonly number[];
  readonly last_row_first_4: readonly number[];
  readonly special_ids: readonly number[];
}

/** Cases that transformers refuses too, and a tokenizer that only transformers supports. */
const REFUSED: Readonly<Record<string, readonly [CheckpointErrorCode, RegExp]>> = {
  'd01-nfkc-normalizer': ['invalid_tokenizer', /normalizer: expected null .*NFKC/],
  'h01-lfs-pointer': ['unsupported', /model\.safetensors: .*Git LFS pointer/],
  'i01-trailing-bytes-taken': ['malformed', /more bytes/],
};

/** Largest difference of a logit: expected.json has five decimals; llama.cpp sums in another order. */
const TOLERANCES = { reference: 1e-5, kernels: 2e-5, llama: 1.5e-3 } as const;

function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(join(CASES, name, 'expected.json'), 'utf8'));
}

/** The tokens that tokenizer.json flags as special and that have a row in the model. */
function specialIds(name: string, vocabSize: number): readonly number[] {
  const { added_tokens }: { added_tokens: readonly { id: number; special: boolean }[] } = JSON.parse(
    readFileSync(join(CASES, name, 'tokenizer.json'), 'utf8'),
  );
  return added_tokens.filter(({ id, special }) => special && id < vocabSize).map(({ id }) => id);
}

for (const name of readdirSync(CASES)) {
  const refusal = REFUSED[name];
  test(`${name} ${refusal === undefined ? 'gives the logits and tokens of transformers' : 'is refused'}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'gptj-case-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'model.gguf');
    const converting = convertCheckpoint({ source: join(CASES, name), target: path, type: 'f32' });
    if (refusal !== undefined) {
      const [code, message] = refusal;
      await assert.rejects(converting, (error: unknown) => {
        assert.ok(error instanceof CheckpointError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual(readdirSync(folder), []);
      return;
    }
    await converting;
    const expected = expectedOf(name);
    for (const kind of ['reference', 'llama', 'kernels'] as const) {
      const opened = await openModel({ path, kind, cacheType: 'f32', threads: 1, cacheCells: 64 });
      t.after(() => opened.close());
      const { model, tokenizer } = opened;
      const sequence = model.open();
      const [result] = await model.evaluate([{ sequence, tokens: expected.ids, scored: 'all' }]);
      const rows = result!.logits;
      assert.deepEqual(
        rows.map((row) => row.indexOf(Math.max(...row))),
        expected.argmax,
        kind,
      );
      for (const [i, logit] of expected.last_row_first_4.entries()) {
        const difference = Math.abs(rows[rows.length - 1]![i]! - logit);
        assert.ok(difference <= TOLERANCES[kind], `${kind}: logit ${i} differs by ${difference}`);
      }
      assert.deepEqual(
        expected.texts.map((text) => tokenizer.encode(text)),
        expected.tokens,
      );
      const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
      const special = specialIds(name, tokenizer.vocabSize);
      assert.deepEqual(
        ids.filter((id) => tokenizer.isSpecial(id)),
        special,
      );
      // transformers lists only those with a role, but skips all of them in decoded text.
      assert.ok(expected.special_ids.every((id) => special.includes(id)));
      assert.equal(tokenizer.decode(special), '');
    }
  });
}
