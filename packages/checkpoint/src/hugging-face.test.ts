import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GPTJ_6B, type GptjConfig, gptjTensors } from '@gptj-cloud/model';
import { folderModelName, openHuggingFaceCheckpoint } from './hugging-face.ts';
import { matchTensors } from './match-tensors.ts';
import { assertRefused, fixture, temporaryFolder } from './reader.contract.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { openHuggingFaceWeights } from './testing/hugging-face-weights.ts';
import type { Weights } from './weights.ts';

async function weightsOf(t: TestContext, name: string): Promise<Weights> {
  const weights = await openHuggingFaceWeights(fixture(name));
  t.after(() => weights.close());
  return weights;
}

async function assertSameWeights(a: Weights, b: Weights): Promise<void> {
  assert.deepEqual(a.config, b.config);
  for (const { name } of gptjTensors(a.config)) assert.deepEqual(await a.tensor(name), await b.tensor(name), name);
}

for (const type of ['f32', 'f16', 'bf16'] as const) {
  test(`PyTorch and safetensors in ${type} give the same weights, and those that torch printed`, async (t) => {
    const pytorch = await weightsOf(t, `pytorch-${type}`);
    await assertSameWeights(pytorch, await weightsOf(t, `safetensors-${type}`));
    const values: Record<string, Record<string, number[]>> = JSON.parse(readFileSync(fixture('values.json'), 'utf8'));
    for (const [name, expected] of Object.entries(values[type] ?? {})) {
      assert.deepEqual([...(await pytorch.tensor(name)).subarray(0, 4)], expected, name);
    }
  });
}

for (const name of ['pytorch-shards', 'safetensors-shards', 'pytorch-old']) {
  test(`${name} gives the weights of the single file`, async (t) => {
    await assertSameWeights(await weightsOf(t, name), await weightsOf(t, 'safetensors-f16'));
  });
}

test('reads rows from any offset within the tensor and refuses rows beyond it', async (t) => {
  const checkpoint = await openHuggingFaceCheckpoint(fixture('safetensors-f32'));
  t.after(() => checkpoint.close());
  const weights = await weightsOf(t, 'safetensors-f32');
  const name = 'transformer.h.1.mlp.fc_in.weight';
  const bytes = new Uint8Array(3 * 16 * 4);
  await checkpoint.readRows(name, 5, bytes);
  assert.deepEqual(new Float32Array(bytes.buffer), (await weights.tensor(name)).slice(5 * 16, 8 * 16));
  await assertRefused(checkpoint.readRows(name, 30, bytes), 'truncated', /within 2048 bytes/);
  await assertRefused(checkpoint.readRows(name, -1, bytes), 'truncated', /within/);
  await assertRefused(checkpoint.readRows('transformer.h.9.ln_1.bias', 0, bytes), 'missing_tensor', /name of a weight/);
});

test('a closed checkpoint refuses to read, and close is idempotent', async () => {
  const checkpoint = await openHuggingFaceCheckpoint(fixture('safetensors-f32'));
  await checkpoint.close();
  await checkpoint.close();
  await assertRefused(checkpoint.readRows('lm_head.bias', 0, new Uint8Array(4)), 'closed', /closed/);
});

/** A copy of a fixture that a test may modify. */
function copyOf(t: TestContext, name: string): string {
  const folder = join(temporaryFolder(t), 'model');
  cpSync(fixture(name), folder, { recursive: true });
  return folder;
}

test('refuses a folder without config, weights or a shard and names the missing file', async (t) => {
  const folder = copyOf(t, 'safetensors-shards');
  rmSync(join(folder, 'model-00002-of-00002.safetensors'));
  await assertRefused(openHuggingFaceCheckpoint(folder), 'not_found', /model-00002-of-00002\.safetensors/);
  rmSync(join(folder, 'model.safetensors.index.json'));
  await assertRefused(openHuggingFaceCheckpoint(folder), 'not_found', /expected one of model\.safetensors,/);
  rmSync(join(folder, 'config.json'));
  await assertRefused(openHuggingFaceCheckpoint(folder), 'not_found', /config\.json/);
});

test('a config of another model or another size than the weights is refused', async (t) => {
  const folder = copyOf(t, 'safetensors-f32');
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, model_type: 'llama' }));
  await assertRefused(openHuggingFaceCheckpoint(folder), 'invalid_config', /model_type/);
  writeFileSync(path, JSON.stringify({ ...config, n_layer: 3 }));
  await assertRefused(openHuggingFaceCheckpoint(folder), 'missing_tensor', /transformer\.h\.2\.ln_1\.weight/);
  writeFileSync(path, JSON.stringify({ ...config, n_layer: 1 }));
  const fewer = await openHuggingFaceCheckpoint(folder);
  t.after(() => fewer.close());
  assert.match(fewer.warnings.join(), /ignored.*transformer\.h\.1\./);
  writeFileSync(path, JSON.stringify({ ...config, n_inner: 64 }));
  await assertRefused(
    openHuggingFaceCheckpoint(folder),
    'wrong_shape',
    /expected \[64,16\] from config\.json, got \[32,16\]/,
  );
  writeFileSync(path, '{');
  await assertRefused(openHuggingFaceCheckpoint(folder), 'malformed', /JSON/);
});

test('an index cannot point outside its folder', async (t) => {
  const folder = copyOf(t, 'safetensors-shards');
  const path = join(folder, 'model.safetensors.index.json');
  for (const file of ['../secret', '/etc/passwd', '..', 'a/b', 'C:\\x', 3, null]) {
    writeFileSync(path, JSON.stringify({ weight_map: { 'lm_head.bias': file } }));
    await assertRefused(openHuggingFaceCheckpoint(folder), 'malformed', /plain name of a file/);
  }
  for (const index of [{}, [], { weight_map: [] }, { weight_map: {} }, null]) {
    writeFileSync(path, JSON.stringify(index));
    await assertRefused(openHuggingFaceCheckpoint(folder), 'malformed', /weight_map/);
  }
});

test('uses the last file of a tensor that two shards contain, whatever the index says', async (t) => {
  const folder = copyOf(t, 'safetensors-shards');
  cpSync(join(fixture('safetensors-bf16'), 'model.safetensors'), join(folder, 'model-00002-of-00002.safetensors'));
  const weights = await openHuggingFaceWeights(folder);
  t.after(() => weights.close());
  await assertSameWeights(weights, await weightsOf(t, 'safetensors-bf16'));
});

test('a folder of the Hugging Face cache gives the name of its repository', () => {
  const snapshot = join('hub', 'models--EleutherAI--gpt-j-6b', 'snapshots', '47e169305d2e8376be1d31e765533382721b2cc1');
  assert.equal(folderModelName(snapshot), 'EleutherAI/gpt-j-6b');
  assert.equal(folderModelName(join('hub', 'models--gpt2', 'snapshots', 'abc')), 'gpt2');
  assert.equal(folderModelName(join('models--a--b', 'other', 'abc')), 'abc');
});

const CONFIG: GptjConfig = {
  ...GPTJ_6B,
  vocabSize: 8,
  embeddingSize: 4,
  headCount: 1,
  rotaryDim: 2,
  feedForwardSize: 4,
  layerCount: 1,
};

const PLACED = { strides: [], storedType: 'F32', type: 'f32', offset: 0 } as const;

function stored(change: (tensor: StoredTensor) => readonly StoredTensor[]): readonly StoredTensor[] {
  return gptjTensors(CONFIG)
    .map(({ name, shape }): StoredTensor => ({ name, shape, ...PLACED }))
    .flatMap(change);
}

test('refuses missing, duplicate and misshapen tensors and non-float types', async () => {
  const refused = (tensors: readonly StoredTensor[]) =>
    Promise.resolve().then(() => matchTensors('x', CONFIG, tensors, false));
  for (const { name } of gptjTensors(CONFIG)) {
    const only = (change: (tensor: StoredTensor) => readonly StoredTensor[]): readonly StoredTensor[] =>
      stored((tensor) => (tensor.name === name ? change(tensor) : [tensor]));
    await assertRefused(refused(only(() => [])), 'missing_tensor', new RegExp(name));
    await assertRefused(refused(only((tensor) => [{ ...tensor, shape: [7] }])), 'wrong_shape', /got \[7\]/);
    await assertRefused(refused(only((tensor) => [{ ...tensor, type: null, storedType: 'I64' }])), 'wrong_type', /I64/);
    await assertRefused(refused(only((tensor) => [tensor, tensor])), 'duplicate_tensor', /got two/);
  }
});

test('accepts names without the prefix, but refuses a tensor under both names', async () => {
  const bare = (tensor: StoredTensor): StoredTensor => ({ ...tensor, name: tensor.name.replace(/^transformer\./, '') });
  assert.equal(
    matchTensors(
      'x',
      CONFIG,
      stored((tensor) => [bare(tensor)]),
      false,
    ).weights.length,
    15,
  );
  const both = stored((tensor) => (tensor.name.endsWith('wte.weight') ? [tensor, bare(tensor)] : [tensor]));
  await assertRefused(
    Promise.resolve().then(() => matchTensors('x', CONFIG, both, false)),
    'duplicate_tensor',
    /also transformer\.wte/,
  );
});

test('entries that GPT-J does not have are ignored and named, causal masks are ignored silently', () => {
  const ignored = (name: string): readonly string[] =>
    matchTensors('x', CONFIG, [...stored((tensor) => [tensor]), { name, shape: [4], ...PLACED }], false).ignored;
  assert.deepEqual(ignored('h.0.attn.bias'), []);
  assert.deepEqual(ignored('transformer.h.0.attn.masked_bias'), []);
  for (const name of ['h.0.attn.q_proj.bias', 'transformer.h.0.attn.rotary_emb.cos_cached', 'v_head.weight', 'step']) {
    assert.deepEqual(ignored(name), [name]);
  }
});

test('an entry of another type under the name of a mask is ignored, under the name of a weight it is refused', async () => {
  const float = { shape: [], strides: [], storedType: 'float', type: null, offset: 0 };
  const mask = [...stored((tensor) => [tensor]), { name: 'h.0.attn.masked_bias', ...float }];
  assert.equal(matchTensors('x', CONFIG, mask, false).weights.length, 15);
  const weight = stored((tensor) => [tensor.name === 'lm_head.bias' ? { name: tensor.name, ...float } : tensor]);
  await assertRefused(
    Promise.resolve().then(() => matchTensors('x', CONFIG, weight, false)),
    'wrong_type',
    /got float/,
  );
});

test('tied embeddings share one stored tensor; if two are stored, both are used', async () => {
  const without = (name: string): readonly StoredTensor[] => stored((tensor) => (tensor.name === name ? [] : [tensor]));
  const sourceOf = (tensors: readonly StoredTensor[], name: string): string | undefined =>
    matchTensors('x', CONFIG, tensors, true).weights.find((weight) => weight.name === name)?.stored.name;
  assert.equal(sourceOf(without('lm_head.weight'), 'lm_head.weight'), 'transformer.wte.weight');
  assert.equal(sourceOf(without('transformer.wte.weight'), 'transformer.wte.weight'), 'lm_head.weight');
  assert.equal(
    sourceOf(
      stored((tensor) => [tensor]),
      'lm_head.weight',
    ),
    'lm_head.weight',
  );
  await assertRefused(
    Promise.resolve().then(() => matchTensors('x', CONFIG, without('lm_head.weight'), false)),
    'missing_tensor',
    /lm_head\.weight/,
  );
});
