// Converts a random checkpoint of GPT-J-6B's size and measures memory and speed beside a copy of the same bytes. Run by hand:
//
//   nice node scripts/trials/full-size-checkpoint.mjs FOLDER [--form plain|transposed|shards] [--layers 28]
//        [--stored f16] [--type f16] [--rounds 2] [--beside-llama]
//
// Writes FOLDER/source (12.1 GB in float16 with all 28 layers, twice that with --stored f32) as pytorch_model.bin whose matrices are stored as they are
// (plain) or as views of their transposes, as mesh-transformer-jax's converter writes them, or as four such files (shards).
// In turn, `rounds` times: copies the weights with `cp`, converts them in a process of its own; both end with fsync.
// With --beside-llama, the rounds compare llama.cpp's own llama_model_quantize (from a GGUF file in f16) with the
// conversion to the same type. Exit status 1 when the peak memory exceeds 1.5 GiB, the median speed is below half
// of the copy (types f16, f32, bf16), or the conversion takes over 1.3 times as long as llama.cpp's.
// Needs twice the disk space of the source; everything below FOLDER is removed afterwards.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GPTJ_6B, gptjTensors } from '../../packages/model/dist/index.js';
import { randomBlocks, syntheticVocabulary } from '../synthetic-model.mjs';
import { stateDictPickle, ZipWriter } from './state-dict-file.mjs';

const MAX_PEAK_BYTES = 1.5 * 2 ** 30;
const MIN_COPY_SHARE = 0.5;
const MAX_LLAMA_SHARE = 1.3;
const SHARDS = 4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    form: { type: 'string', default: 'transposed' },
    layers: { type: 'string', default: '28' },
    stored: { type: 'string', default: 'f16' },
    type: { type: 'string', default: 'f16' },
    rounds: { type: 'string', default: '2' },
    'beside-llama': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined || !['plain', 'transposed', 'shards'].includes(values.form)) {
  console.error('usage: full-size-checkpoint.mjs FOLDER [--form plain|transposed|shards] [--layers N] [--type TYPE]');
  process.exit(2);
}
const config = { ...GPTJ_6B, layerCount: Number(values.layers) };
const source = join(folder, 'source');
const target = join(folder, 'target.gguf');
const besideLlama = values['beside-llama'];

mkdirSync(folder, { recursive: false });
try {
  const files = await makeCheckpoint();
  const sizeBytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  console.log(`made ${gigabytes(sizeBytes)} of ${values.form} ${values.stored} in ${files.length} file(s)`);
  const base = join(folder, 'f16.gguf');
  if (besideLlama) await convert(base, 'f16');
  const shares = [];
  let peakBytes = 0;
  for (let round = 0; round < Number(values.rounds); round++) {
    const other = besideLlama ? await quantiseWithLlama(base) : await copy(files);
    const { durationMs, maxRssBytes, cpuMs } = await convert(target, values.type);
    rmSync(target);
    peakBytes = Math.max(peakBytes, maxRssBytes);
    shares.push(besideLlama ? durationMs / other.durationMs : other.durationMs / durationMs);
    console.log(
      `round ${round + 1}: ${besideLlama ? 'llama.cpp' : 'cp'} ${seconds(other.durationMs)} (${seconds(other.cpuMs)} of processor time), ` +
        `conversion to ${values.type} ${seconds(durationMs)} (${seconds(cpuMs)}), peak ${(maxRssBytes / 2 ** 20).toFixed(0)} MiB, ` +
        `${besideLlama ? 'times as long' : 'share of its speed'} ${shares.at(-1).toFixed(2)}`,
    );
  }
  const median = shares.sort((a, b) => a - b)[Math.floor((shares.length - 1) / 2)];
  const isFast = besideLlama
    ? median <= MAX_LLAMA_SHARE
    : !/^(b?f16|f32)$/.test(values.type) || median >= MIN_COPY_SHARE;
  console.log(
    `peak at most 1.5 GiB: ${peakBytes <= MAX_PEAK_BYTES ? 'yes' : 'NO'}; fast enough: ${isFast ? 'yes' : 'NO'}`,
  );
  process.exitCode = isFast && peakBytes <= MAX_PEAK_BYTES ? 0 : 1;
} finally {
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
}

function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Writes the weights, config and vocabulary of a Hugging Face folder. Returns the paths of the weights. */
async function makeCheckpoint() {
  mkdirSync(source);
  const isTransposed = values.form === 'transposed';
  // The converter of mesh-transformer-jax writes the last layer first.
  const itemBytes = values.stored === 'f32' ? 4 : 2;
  const tensors = gptjTensors(config).map(({ name, shape }) => ({
    name,
    shape,
    strides: shape.length < 2 ? [1] : isTransposed && !name.endsWith('wte.weight') ? [1, shape[0]] : [shape[1], 1],
    sizeBytes: shape.reduce((product, size) => product * size, itemBytes),
  }));
  if (isTransposed) tensors.reverse();
  const pool = randomBlocks(values.stored, 64 * 2 ** 20);
  const perFile = values.form === 'shards' ? Math.ceil(tensors.length / SHARDS) : tensors.length;
  const files = [];
  const weightMap = {};
  for (let first = 0; first < tensors.length; first += perFile) {
    const part = tensors.slice(first, first + perFile);
    const name =
      values.form === 'shards'
        ? `pytorch_model-${String(files.length + 1).padStart(5, '0')}-of-${String(SHARDS).padStart(5, '0')}.bin`
        : 'pytorch_model.bin';
    for (const tensor of part) weightMap[tensor.name] = name;
    files.push(join(source, name));
    const file = await open(files.at(-1), 'wx');
    try {
      const zip = new ZipWriter(file);
      await zip.add(
        'archive/data.pkl',
        stateDictPickle(part, values.stored === 'f32' ? 'FloatStorage' : 'HalfStorage'),
      );
      for (const [key, { sizeBytes }] of part.entries())
        await zip.add(`archive/data/${key}`, repeated(pool, sizeBytes));
      await zip.finish();
      await file.sync();
    } finally {
      await file.close();
    }
  }
  const writeJson = (name, value) => writeFileSync(join(source, name), JSON.stringify(value));
  if (values.form === 'shards') writeJson('pytorch_model.bin.index.json', { metadata: {}, weight_map: weightMap });
  const { vocab, merges } = syntheticVocabulary();
  writeJson('vocab.json', vocab);
  writeFileSync(join(source, 'merges.txt'), `#version: 0.2\n${merges.join('\n')}\n`);
  writeJson('config.json', { model_type: 'gptj', n_layer: config.layerCount });
  return files;
}

/** `sizeBytes` of a pool, in pieces. */
function* repeated(pool, sizeBytes) {
  for (let left = sizeBytes; left > 0; left -= pool.byteLength) yield pool.subarray(0, Math.min(left, pool.byteLength));
}

/** Milliseconds of `cp` and fsync, and of processor time; the copies are removed. */
async function copy(files) {
  const copies = files.map((path) => `${path}.copy`);
  const script = files.map((path, i) => `cp '${path}' '${copies[i]}' && sync '${copies[i]}'`).join(' && ');
  const startedAt = performance.now();
  const text = await succeed(spawn('bash', ['-c', `${script} && times`], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const durationMs = performance.now() - startedAt;
  for (const path of copies) rmSync(path);
  // The second line of `times` is the time of the children: 0m0.010s 0m1.234s.
  const parts = [...text.split('\n')[1].matchAll(/(\d+)m([\d.]+)s/g)];
  const cpuMs = parts.reduce((sum, [, minutes, rest]) => sum + 60_000 * Number(minutes) + 1000 * Number(rest), 0);
  return { durationMs, cpuMs };
}

/** Converts in a process of its own, whose peak memory is that of the conversion. */
async function convert(path, type) {
  const root = fileURLToPath(new URL('../../packages/', import.meta.url));
  const script = `
    import { convertCheckpoint } from ${JSON.stringify(join(root, 'checkpoint/dist/index.js'))};
    import { openQuantiser } from ${JSON.stringify(join(root, 'engine/dist/index.js'))};
    const [source, target, type] = process.argv.slice(1);
    const { durationMs } = await convertCheckpoint({ source, target, type, quantiser: openQuantiser() });
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    console.log(JSON.stringify({ durationMs, maxRssBytes: maxRSS * 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, source, path, type], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const text = (await succeed(child)).trim();
  return JSON.parse(text);
}

/** Milliseconds of llama.cpp's own quantisation of the file `base`, and of processor time. */
async function quantiseWithLlama(base) {
  const script = fileURLToPath(new URL('./quantise-with-llama.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, base, target, values.type], { stdio: ['ignore', 'pipe', 'ignore'] });
  const text = (await succeed(child)).trim();
  rmSync(target);
  return JSON.parse(text.split('\n').at(-1));
}

/** The output of a process that ends well. */
async function succeed(child) {
  let text = '';
  child.stdout?.on('data', (data) => {
    text += data;
  });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ').slice(0, 200)}: expected status 0, got ${code}`);
  return text;
}
