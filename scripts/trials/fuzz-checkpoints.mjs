// Reads mutated checkpoints of every form, whole: each is read or refused with a CheckpointError, within a bound of time
// and memory, and no temporary file is left.
//
//   node scripts/trials/fuzz-checkpoints.mjs [COUNT 10000] [SEED 1]
//
// The files are those of packages/checkpoint/fixtures/published, of cases/j01-transposed-views and the archives decompressed.
// Prints the outcomes of every file. Exit status 1 for any other error, and for a mutation that takes more than ten seconds
// of processor time.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CheckpointError, openCheckpoint } from '../../packages/checkpoint/dist/index.js';

const FIXTURES = fileURLToPath(new URL('../../packages/checkpoint/fixtures/', import.meta.url));
const BESIDE = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
const MAX_MS = 10_000;
const MAX_RSS_BYTES = 2 ** 30;
const HOSTILE = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0x1000000];

const [count = 10_000, seed = 1] = process.argv.slice(2).map(Number);
const random = seeded(seed);
const root = mkdtempSync(join(tmpdir(), 'gptj-fuzz-checkpoints-'));
let failures = 0;
let slowestMs = 0;
try {
  const sources = findSources();
  for (const [index, source] of sources.entries()) {
    const outcomes = new Map();
    const rounds = Math.ceil(count / sources.length);
    for (let round = 0; round < rounds; round++) {
      const mutated = mutate(source.bytes, sources[below(sources.length)].bytes);
      // Processor time, as the clock also counts what other programs do.
      const before = process.cpuUsage();
      const outcome = await read(source, mutated);
      const { user, system } = process.cpuUsage(before);
      slowestMs = Math.max(slowestMs, (user + system) / 1000);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    const listed = [...outcomes].sort(([, a], [, b]) => b - a).map(([code, times]) => `${code} ${times}`);
    console.log(
      `${index + 1}/${sources.length} ${source.name}: ${listed.join(', ')}; slowest so far ${slowestMs.toFixed(0)} ms`,
    );
  }
  const leftovers = readdirSync(root).filter((name) => name.endsWith('.partial'));
  const { maxRSS } = process.resourceUsage();
  console.log(
    `${count} mutations, ${failures} failures, slowest ${slowestMs.toFixed(0)} ms of processor time, peak ${(maxRSS / 1024).toFixed(0)} MiB, ${leftovers.length} temporary files left`,
  );
  process.exitCode =
    failures === 0 && slowestMs <= MAX_MS && maxRSS * 1024 <= MAX_RSS_BYTES && leftovers.length === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** Every source has a folder of its own, in which its file is mutated. */
function findSources() {
  const checkpointRequire = createRequire(new URL('../../packages/checkpoint/package.json', import.meta.url));
  const { decompress } = checkpointRequire('fzstd');
  const found = [];
  const add = (name, folder, file, bytes) => {
    const own = join(root, name.replaceAll('/', '_'));
    mkdirSync(own);
    for (const beside of BESIDE) {
      if (readdirSync(folder).includes(beside)) copyFileSync(join(folder, beside), join(own, beside));
    }
    const isFolder = file === 'pytorch_model.bin';
    found.push({ name, path: isFolder ? own : join(own, file), file: join(own, file), bytes });
  };
  for (const name of ['cases/j01-transposed-views', 'published/hivemind-8bit']) {
    const folder = join(FIXTURES, name);
    add(name, folder, 'pytorch_model.bin', readFileSync(join(folder, 'pytorch_model.bin')));
  }
  const ggml = join(FIXTURES, 'published/ggml');
  for (const name of readdirSync(ggml).filter((each) => each.endsWith('.bin'))) {
    add(`ggml/${name}`, ggml, name, readFileSync(join(ggml, name)));
  }
  for (const name of ['slim-f32.tar.zst', 'full-f32.tar.zst', 'many/slim-bf16.tar.zst']) {
    const path = join(FIXTURES, 'published/mesh', name);
    const bytes = readFileSync(path);
    add(`mesh/${name}`, dirname(path), 'model.tar.zst', bytes);
    add(`mesh/${name.replace('.zst', '')}`, dirname(path), 'model.tar', Buffer.from(decompress(bytes)));
  }
  return found;
}

/** `read`, the code of a CheckpointError, or FAILED. */
async function read({ name, path, file }, bytes) {
  writeFileSync(file, bytes);
  try {
    const checkpoint = await openCheckpoint(path, { spoolFolder: root });
    try {
      for (const { name: tensor, sizeBytes } of checkpoint.tensors) {
        await checkpoint.readRows(tensor, 0, new Uint8Array(sizeBytes));
      }
      await checkpoint.readTokenizer();
    } finally {
      await checkpoint.close();
    }
    return 'read';
  } catch (error) {
    if (error instanceof CheckpointError) return error.code;
    failures++;
    const kept = join(tmpdir(), `failed-${name.replaceAll('/', '_')}-${failures}`);
    writeFileSync(kept, bytes);
    console.error(`${name}: ${error instanceof Error ? error.stack : error}\n  kept as ${kept}`);
    return 'FAILED';
  }
}

function mutate(bytes, other) {
  const mutated = Buffer.from(bytes);
  // Most of a file is numbers: places are near its start, its end and its headers as often as anywhere.
  const headers = ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'NUMPY', 'transformer.', 'shard_', '\x80\x02'];
  const place = () => {
    const kind = below(5);
    if (kind === 0) return below(Math.min(bytes.length, 600));
    if (kind === 1) return bytes.length - 1 - below(Math.min(bytes.length, 300));
    if (kind === 2) return below(bytes.length);
    const at = bytes.indexOf(headers[below(headers.length)], below(bytes.length), 'latin1');
    return at < 0 ? below(bytes.length) : Math.max(0, Math.min(bytes.length - 1, at - 30 + below(120)));
  };
  const kind = below(8);
  if (kind === 0) return mutated.subarray(0, place());
  if (kind === 1) {
    const [at, from] = [place(), below(other.length)];
    return Buffer.concat([mutated.subarray(0, at), other.subarray(from, from + below(2000)), mutated.subarray(at)]);
  }
  if (kind === 2) {
    const at = place();
    return Buffer.concat([mutated.subarray(0, at), mutated.subarray(Math.min(mutated.length, at + 1 + below(40)))]);
  }
  if (kind === 3) {
    const from = place();
    mutated.copyWithin(place(), from, from + 1 + below(64));
    return mutated;
  }
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = place();
    const size = [1, 2, 4][below(3)];
    if (kind < 6 || at + size > mutated.length) mutated[at] = below(256);
    else mutated.writeUIntLE(HOSTILE[below(HOSTILE.length)] % 2 ** (8 * size), at, size);
  }
  return mutated;
}

function below(limit) {
  return Math.floor(random() * limit);
}

/** Mulberry32 of Tommy Ettinger. */
function seeded(start) {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
