import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ran, runGptj } from './testing/run-gptj.ts';

/** A data folder, the command on it, and the folder of an adapter for the embedded model. */
async function dataFolder(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'gptj-adapter-command-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const source = join(root, 'loud');
  await mkdir(source);
  await writeAdapter(source, 256);
  const data = join(root, 'data');
  const gptj = (...args: string[]): Promise<Ran> => runGptj(args, { env: { DATA_DIR: data } });
  return { root, source, data, gptj };
}

/** An adapter of rank 1 that turns the output of the first layer's MLP upside down, as PEFT writes it. */
async function writeAdapter(folder: string, width: number): Promise<void> {
  const module = 'base_model.model.transformer.h.0.mlp.fc_out';
  const inner = 4 * width;
  const values = Float32Array.from({ length: inner + width }, (_, i) => Math.sin(i) * (i < inner ? 1 : 4));
  const header = Buffer.from(
    JSON.stringify({
      [`${module}.lora_A.weight`]: { dtype: 'F32', shape: [1, inner], data_offsets: [0, 4 * inner] },
      [`${module}.lora_B.weight`]: { dtype: 'F32', shape: [width, 1], data_offsets: [4 * inner, 4 * (inner + width)] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(
    join(folder, 'adapter_model.safetensors'),
    Buffer.concat([length, header, new Uint8Array(values.buffer)]),
  );
  const config = { peft_type: 'LORA', r: 1, lora_alpha: 1, base_model_name_or_path: 'gptj-nano' };
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config));
}

test('an adapter is added, listed, chosen by a generation and removed', async (t) => {
  const { source, data, gptj } = await dataFolder(t);
  assert.match((await gptj('adapter', 'list')).stdout, /adapters has no adapters; gptj adapter add FOLDER stores one/);
  const added = await gptj('adapter', 'add', source);
  assert.equal(added.status, 0, added.stderr);
  assert.match(added.stdout, /^name +loud$.*^matrices +fc_out$.*"lora": \[\{"name": "loud"\}\]\n$/ms);
  const listed = JSON.parse((await gptj('adapter', 'list', '--json')).stdout);
  assert.deepEqual([listed.name, listed.rank, listed.targets, listed.base_model], ['loud', 1, ['fc_out'], 'gptj-nano']);
  assert.match((await gptj('adapter', 'list')).stdout, /^loud +1 +fc_out /m);

  const generate = async (...more: string[]): Promise<string> => {
    const ran = await gptj('generate', 'Once upon', '--max-new-tokens', '8', '--no-do-sample', ...more);
    assert.equal(ran.status, 0, ran.stderr);
    return ran.stdout;
  };
  const plain = await generate();
  assert.notEqual(await generate('--lora', '[{"name": "loud"}]'), plain);
  assert.equal(await generate('--lora', '[{"name": "loud", "scale": 0}]'), plain);
  const unknown = await gptj('generate', 'Once', '--lora', '[{"name": "lowd"}]');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /expected an adapter of this model \(loud\), got "lowd"; did you mean loud\?/);

  assert.match((await gptj('adapter', 'rm', 'loud')).stdout, /^deleted loud \(/);
  assert.deepEqual(
    (await readdir(join(data, 'adapters'))).filter((name) => name !== '.changes'),
    [],
  );
  assert.match(
    (await gptj('adapter', 'rm', 'loud')).stderr,
    /expected the name of a stored adapter, got "loud"; it has none/,
  );
});

test('an adapter for another model is refused, and no data folder is made', async (t) => {
  const { root, gptj } = await dataFolder(t);
  const other = join(root, 'other');
  await mkdir(other);
  await writeAdapter(other, 64);
  const added = await gptj('adapter', 'add', other);
  assert.equal(added.status, 1);
  assert.match(added.stderr, /fc_out\.lora_A\.weight: expected \[1,1024\] for this model .* got \[1,256\]/);
  assert.deepEqual((await readdir(root)).sort(), ['loud', 'other']);
});
