import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGgufWeights } from '@gptj-cloud/checkpoint';
import { createTokenizer } from '@gptj-cloud/tokenizer';
import { makeTinyModel } from '../tiny-model.fixture.ts';
import { collectImportance } from './collect-importance.ts';

// Computed here from the weights: the first layer's matrices get the normalised embeddings. Tolerance: float32 sums.
test('sums the squares of what enters the first layer, over all tokens of the text', async (t) => {
  const file = await makeTinyModel();
  t.after(() => file.remove());
  const weights = await openGgufWeights(file.path);
  const { embeddingSize, layerNormEpsilon } = weights.config;
  const [embedding, scale, bias] = await Promise.all(
    ['wte.weight', 'h.0.ln_1.weight', 'h.0.ln_1.bias'].map((name) => weights.tensor(`transformer.${name}`)),
  );
  const text = 'a cab leaked ice; a black bag had food in it, and jam.';
  const tokens = createTokenizer(weights.tokenizer).encode(text);
  await weights.close();
  const used = tokens.slice(0, Math.floor(tokens.length / 8) * 8);
  const expected = new Float64Array(embeddingSize);
  for (const token of used) {
    const row = embedding!.subarray(token * embeddingSize, (token + 1) * embeddingSize);
    const mean = row.reduce((sum, value) => sum + value, 0) / embeddingSize;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / embeddingSize;
    for (const [i, value] of row.entries()) {
      expected[i]! += (((value - mean) / Math.sqrt(variance + layerNormEpsilon)) * scale![i]! + bias![i]!) ** 2;
    }
  }
  const done: number[] = [];
  const importance = await collectImportance({
    path: file.path,
    text,
    context: 8,
    maxChunks: null,
    onChunk: (chunk) => done.push(chunk),
  });
  assert.equal(importance.chunkCount, used.length / 8);
  assert.deepEqual(
    done,
    Array.from({ length: used.length / 8 }, (_, i) => i + 1),
  );
  const entry = importance.entries.get('blk.0.attn_q.weight');
  assert.equal(entry?.rows, used.length);
  for (const [i, value] of entry!.squares.entries()) {
    assert.ok(Math.abs(value - expected[i]!) < 1e-4 * (1 + expected[i]!), `${i}: ${value} ${expected[i]}`);
  }
  // The last layer has as many inputs: none is left out because its position is not scored.
  for (const { rows } of importance.entries.values()) assert.equal(rows, used.length);
});

test('a text shorter than one chunk is refused', async (t) => {
  const file = await makeTinyModel();
  t.after(() => file.remove());
  const options = { path: file.path, text: 'a', context: 8, maxChunks: null };
  await assert.rejects(collectImportance(options), {
    code: 'invalid_config',
    message: /at least 8 tokens of text, got 1/,
  });
});
