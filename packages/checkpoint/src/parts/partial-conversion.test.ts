import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { convertCheckpoint } from '../convert.ts';
import { assertRefused, temporaryFolder } from '../reader.contract.ts';
import { wideFolder } from '../testing/wide-folder.ts';
import { isConvertedByFile, openPartialConversion, type PartialConversion } from './partial-conversion.ts';

const INDEX = 'model.safetensors.index.json';

type Entry = { readonly data_offsets: readonly [number, number] };

/** The folder `WIDE` in shards, each with the tensors whose number modulo `count` is its own. */
function shardFolder(t: TestContext, count: number, more: Readonly<Record<string, readonly number[]>> = {}) {
  const folder = wideFolder(t, 'bf16');
  const bytes = readFileSync(join(folder, 'model.safetensors'));
  const start = 8 + Number(bytes.readBigUInt64LE());
  const tensors = Object.entries<Entry>(JSON.parse(bytes.subarray(8, start).toString()));
  const names = Array.from({ length: count }, (_, i) => `model-0000${i + 1}-of-0000${count}.safetensors`);
  const weightMap: Record<string, string> = {};
  for (const [shard, file] of names.entries()) {
    let offset = 0;
    const parts: Uint8Array[] = [];
    const entries = tensors.flatMap(([name, entry], at) => {
      if (at % count !== shard && !more[name]?.includes(shard)) return [];
      weightMap[name] = file;
      const data = bytes.subarray(start + entry.data_offsets[0], start + entry.data_offsets[1]);
      // The copy of a tensor that a later file has again is another one.
      parts.push(more[name] !== undefined && shard === 0 ? new Uint8Array(data.length) : data);
      offset += data.length;
      return [[name, { ...entry, data_offsets: [offset - data.length, offset] }]];
    });
    const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(join(folder, file), Buffer.concat([length, header, ...parts]));
  }
  writeFileSync(join(folder, INDEX), JSON.stringify({ weight_map: weightMap }));
  rmSync(join(folder, 'model.safetensors'));
  return { folder, names };
}

async function world(t: TestContext, folder: string) {
  const out = temporaryFolder(t);
  const [whole, target] = [join(out, 'whole.gguf'), join(out, 'target.gguf')];
  await convertCheckpoint({ source: folder, target: whole, type: 'f16' });
  const open = async (): Promise<PartialConversion> => {
    const signal = new AbortController().signal;
    return openPartialConversion({ folder, target, type: 'f16', onProgress: () => {}, onWarning: () => {}, signal });
  };
  return { whole, target, open };
}

test('files that are converted one by one, in any order and by several processes, give the bytes of the whole', async (t) => {
  const { folder, names } = shardFolder(t, 3);
  const { whole, target, open } = await world(t, folder);
  // The tensor of layer 0 that must come first.
  const { first } = (await isConvertedByFile(folder, INDEX))!;
  const order = [first, ...names.filter((name) => name !== first).reverse()];
  for (const name of order) {
    const conversion = await open();
    assert.deepEqual(
      order.map(conversion.has),
      order.map((each) => order.indexOf(each) < order.indexOf(name)),
    );
    await conversion.convert(name);
    assert.ok(conversion.has(name));
    await conversion.close();
    rmSync(join(folder, name));
  }
  const conversion = await open();
  await conversion.finish();
  await conversion.close();
  assert.deepEqual(readFileSync(target), readFileSync(whole));
  assert.deepEqual(readdirSync(dirname(target)).sort(), ['target.gguf', 'whole.gguf']);
});

test('of a tensor that two files have, the later file counts, whichever is converted first', async (t) => {
  const twice = 'transformer.h.1.mlp.fc_in.weight';
  const { folder, names } = shardFolder(t, 3, { [twice]: [0, 2] });
  const { first } = (await isConvertedByFile(folder, INDEX))!;
  for (const rest of [names, names.toReversed()]) {
    const { whole, target, open } = await world(t, folder);
    const conversion = await open();
    for (const name of [first, ...rest.filter((each) => each !== first)]) await conversion.convert(name);
    await conversion.finish();
    assert.deepEqual(readFileSync(target), readFileSync(whole));
  }
});

test('a tensor that no file has is refused at the end, and a file without layer 0 at the beginning', async (t) => {
  const { folder, names } = shardFolder(t, 3);
  const { target, open } = await world(t, folder);
  const { first } = (await isConvertedByFile(folder, INDEX))!;
  const others = names.filter((name) => name !== first);
  const conversion = await open();
  await assertRefused(conversion.convert(others[0]!), 'missing_tensor', /as the index says/);
  await conversion.convert(first);
  await conversion.convert(others[0]!);
  await assertRefused(conversion.finish(), 'missing_tensor', /expected it in one of model-/);
  await conversion.close();
  assert.ok(!readdirSync(dirname(target)).includes('target.gguf'));
});

test('what is left of another file, or was cut, is begun anew', async (t) => {
  const { folder, names } = shardFolder(t, 2);
  const { whole, target, open } = await world(t, folder);
  const { first } = (await isConvertedByFile(folder, INDEX))!;
  const begun = await open();
  await begun.convert(first);
  await begun.close();
  for (const damage of [
    () => truncateSync(`${target}.part`, 1000),
    () => writeFileSync(`${target}.state`, '{"sourceType":"f16","files":{"x":[]}}'),
    () => writeFileSync(`${target}.state`, '{'),
    ...['{}', '7', '[]', '{"sourceType":1,"files":{}}', '{"sourceType":"bf16","files":7}'].map(
      (text) => () => writeFileSync(`${target}.state`, text),
    ),
    () => writeFileSync(`${target}.state`, JSON.stringify({ sourceType: 'bf16', files: { [first]: 'all' } })),
    () => writeFileSync(`${target}.state`, JSON.stringify({ sourceType: 'bf16', files: { [first]: [7] } })),
    () => renameSync(`${target}.part`, `${target}.gone`),
  ]) {
    damage();
    const conversion = await open();
    assert.equal(conversion.has(first), false);
    await conversion.convert(first);
    await conversion.close();
  }
  const conversion = await open();
  for (const name of names) if (!conversion.has(name)) await conversion.convert(name);
  await conversion.finish();
  assert.deepEqual(readFileSync(target), readFileSync(whole));
});

test('weights that need numbers of another file are converted as a whole', async (t) => {
  const { folder } = shardFolder(t, 2);
  const config = readFileSync(join(folder, 'config.json'), 'utf8');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...JSON.parse(config), tie_word_embeddings: true }));
  assert.equal(await isConvertedByFile(folder, INDEX), null);
  writeFileSync(join(folder, 'config.json'), config);
  const index = JSON.parse(readFileSync(join(folder, INDEX), 'utf8'));
  index.weight_map['transformer.h.0.attn.q_proj.absmax'] = 'x';
  writeFileSync(join(folder, INDEX), JSON.stringify(index));
  assert.equal(await isConvertedByFile(folder, INDEX), null);
  writeFileSync(join(folder, INDEX), JSON.stringify({ weight_map: { 'transformer.wte.weight': 'x' } }));
  assert.equal(await isConvertedByFile(folder, INDEX), null);
});
