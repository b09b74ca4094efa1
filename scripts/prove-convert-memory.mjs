// Measures the peak memory of a conversion, which must not depend on the checkpoint's size. Run by hand:
//
//   nice node scripts/prove-convert-memory.mjs FOLDER [--layers 28] [--source f16|bf16|f32] [--type f16] [--keep]
//   nice node scripts/prove-convert-memory.mjs FOLDER --existing [--type f16]
//
// Makes a random checkpoint of GPT-J-6B's shape in the new folder FOLDER (12 GB in f16 with all 28 layers, as
// safetensors shards of 2 GB), or with --existing uses an existing one; converts it to FOLDER.gguf, samples the memory
// of this process and prints the peaks. Exit status 1 when they exceed 1 GiB. Needs disk space for source and result;
// created files are removed afterwards unless --keep.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { convertCheckpoint, RECIPES } from '../packages/checkpoint/dist/index.js';
import { GPTJ_6B, gptjTensors } from '../packages/model/dist/index.js';
import { randomBlocks, syntheticVocabulary } from './synthetic-model.mjs';

const GIB = 2 ** 30;
const SHARD_BYTES = 2e9;
const ITEM_BYTES = { f32: 4, f16: 2, bf16: 2 };
const SAMPLE_MS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: 'string', default: '28' },
    source: { type: 'string', default: 'f16' },
    type: { type: 'string', default: 'f16' },
    existing: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined || !(values.source in ITEM_BYTES) || !RECIPES.includes(values.type)) {
  console.error(
    'usage: prove-convert-memory.mjs FOLDER [--layers N] [--source f16|bf16|f32] [--type f32|f16|bf16] [--existing] [--keep]',
  );
  process.exit(2);
}

const target = `${folder}.gguf`;
try {
  if (!values.existing) {
    const sizeBytes = await makeCheckpoint({ ...GPTJ_6B, layerCount: Number(values.layers) }, values.source);
    console.log(`made ${(sizeBytes / 1e9).toFixed(2)} GB of ${values.source} in ${folder}`);
  }
  const peaks = await convertWatched();
  console.log(
    `peak ${Object.entries(peaks)
      .map(([name, bytes]) => `${name} ${(bytes / 2 ** 20).toFixed(0)} MiB`)
      .join(', ')}`,
  );
  const isLittle = peaks.rss <= GIB;
  console.log(isLittle ? 'at most 1 GiB: yes' : 'at most 1 GiB: NO');
  process.exitCode = isLittle ? 0 : 1;
} finally {
  if (!values.keep) {
    rmSync(target, { force: true });
    if (!values.existing) rmSync(folder, { recursive: true, force: true });
  }
}

async function convertWatched() {
  const peaks = { rss: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };
  const sample = () => {
    for (const [name, bytes] of Object.entries(process.memoryUsage())) {
      if (name in peaks) peaks[name] = Math.max(peaks[name], bytes);
    }
  };
  const timer = setInterval(sample, SAMPLE_MS);
  try {
    const { writtenBytes, durationMs, tensors } = await convertCheckpoint({
      source: folder,
      target,
      type: values.type,
      onProgress: sample,
    });
    const rate = writtenBytes / 1e6 / (durationMs / 1000);
    console.log(
      `converted to ${values.type}: ${tensors} tensors, ${(writtenBytes / 1e9).toFixed(2)} GB in ${(durationMs / 1000).toFixed(1)} s (${rate.toFixed(0)} MB/s)`,
    );
  } finally {
    clearInterval(timer);
  }
  // The kernel's maximum also covers the time between two samples.
  return { ...peaks, rss: Math.max(peaks.rss, process.resourceUsage().maxRSS * 1024) };
}

/** Writes shards, index, config and tokenizer. Returns the bytes of all weights. */
async function makeCheckpoint(config, type) {
  mkdirSync(folder, { recursive: false });
  const tensors = gptjTensors(config).map(({ name, shape }) => ({
    name,
    shape,
    sizeBytes: shape.reduce((product, size) => product * size, ITEM_BYTES[type]),
  }));
  const shards = [[]];
  for (const tensor of tensors) {
    const last = shards.at(-1);
    const full = last.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + tensor.sizeBytes > SHARD_BYTES;
    if (full && last.length > 0) shards.push([tensor]);
    else last.push(tensor);
  }
  const pool = randomBlocks(type, 16 * 2 ** 20);
  const weightMap = {};
  for (const [index, shard] of shards.entries()) {
    const file = `model-${String(index + 1).padStart(5, '0')}-of-${String(shards.length).padStart(5, '0')}.safetensors`;
    for (const { name } of shard) weightMap[name] = file;
    await writeShard(join(folder, file), shard, type, pool);
  }
  const writeJson = (name, value) => writeFileSync(join(folder, name), JSON.stringify(value));
  const { vocab, merges } = syntheticVocabulary();
  writeJson('model.safetensors.index.json', { metadata: {}, weight_map: weightMap });
  writeJson('vocab.json', vocab);
  writeFileSync(join(folder, 'merges.txt'), `#version: 0.2\n${merges.join('\n')}\n`);
  writeJson('config.json', {
    model_type: 'gptj',
    vocab_size: config.vocabSize,
    n_positions: config.contextLength,
    n_embd: config.embeddingSize,
    n_layer: config.layerCount,
    n_head: config.headCount,
    rotary_dim: config.rotaryDim,
  });
  return tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function writeShard(path, tensors, type, pool) {
  const header = {};
  let offset = 0;
  for (const { name, shape, sizeBytes } of tensors) {
    header[name] = { dtype: type.toUpperCase(), shape, data_offsets: [offset, offset + sizeBytes] };
    offset += sizeBytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  const file = await open(path, 'wx');
  try {
    await file.writeFile(length);
    await file.writeFile(json);
    for (let left = offset; left > 0; left -= Math.min(left, pool.byteLength)) {
      await file.writeFile(pool.subarray(0, Math.min(left, pool.byteLength)));
    }
  } finally {
    await file.close();
  }
}
