// Writes a GPT-J of random weights as a GGUF file for benchmarks:
//
//   node scripts/make-random-gguf.mjs OUT [--type q4_0] [--layers 28] [--shape 6b|small] [--tokenizer GGUF] [--overwrite]
//
// The file has exactly the tensors, types and sizes that `gptj convert --type` gives a real checkpoint, so speed and
// memory are those of the real model. Its output is random. `--tokenizer` takes the vocabulary of another file, which then can
// draft for it. Needs the compiled packages (`npm run build`).
import { parseArgs } from 'node:util';
import {
  FILE_TYPES,
  GgufWriter,
  openGgufWeights,
  phi2Metadata,
  phi2Tensors,
  planBytes,
  RECIPES,
  TENSOR_TYPES,
  tensorType,
} from '../packages/checkpoint/dist/index.js';
import { GPTJ_6B } from '../packages/model/dist/index.js';
import { plainAddedToken } from '../packages/tokenizer/dist/index.js';
import { randomBlocks, syntheticVocabulary } from './synthetic-model.mjs';

const SHAPES = {
  '6b': GPTJ_6B,
  small: { ...GPTJ_6B, embeddingSize: 512, layerCount: 4, headCount: 8, rotaryDim: 32, feedForwardSize: 2048 },
};
/** Random weights are generated once per type and reused from a different offset for each tensor. */
const POOL_BYTES = 16 * 1024 * 1024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    type: { type: 'string', default: 'q4_0' },
    shape: { type: 'string', default: '6b' },
    layers: { type: 'string' },
    tokenizer: { type: 'string' },
    overwrite: { type: 'boolean', default: false },
  },
});
const [target] = positionals;
const recipe = RECIPES.find((name) => name === values.type);
const shape = SHAPES[values.shape];
const layerCount = Number(values.layers ?? shape?.layerCount);
if (target === undefined || recipe === undefined || !(Number.isInteger(layerCount) && layerCount > 0)) {
  console.error(
    `usage: make-random-gguf.mjs OUT [--type ${RECIPES.join('|')}] [--shape ${Object.keys(SHAPES).join('|')}] [--layers N] [--tokenizer GGUF] [--overwrite]`,
  );
  process.exit(2);
}

const config = { ...shape, layerCount };
const plans = phi2Tensors(config).map(({ name, shape: size }) => {
  if (size.length < 2) return { name, shape: size, type: 'f32' };
  const layer = /^blk\.(\d+)\./.exec(name)?.[1];
  const { used } = tensorType(recipe, name, layer === undefined ? null : Number(layer), layerCount, size[1]);
  return { name, shape: size, type: used };
});
const writer = await GgufWriter.create(target, {
  metadata: phi2Metadata({
    config,
    tokenizer: values.tokenizer === undefined ? tokenizer() : await tokenizerOf(values.tokenizer),
    modelName: `random GPT-J (${values.shape}, ${layerCount} layers)`,
    source: 'make-random-gguf',
    sourceType: recipe,
    fileType: FILE_TYPES[recipe],
  }),
  tensors: plans,
  overwrite: values.overwrite,
});
const startedMs = performance.now();
try {
  const pools = new Map();
  for (const [index, plan] of plans.entries()) {
    if (plan.shape.length < 2) await writer.write(vector(plan));
    else await writeMatrix(plan, index, pools);
  }
  await writer.finish();
} catch (error) {
  await writer.abort();
  throw error;
}
const seconds = (performance.now() - startedMs) / 1000;
console.log(
  `${target}: ${(writer.writtenBytes / 1e9).toFixed(2)} GB, ${plans.length} tensors, ${seconds.toFixed(1)} s`,
);

async function writeMatrix(plan, index, pools) {
  const pool = pools.get(plan.type) ?? randomBlocks(plan.type, POOL_BYTES);
  pools.set(plan.type, pool);
  const { blockBytes } = TENSOR_TYPES[plan.type];
  let from = ((index * 7919) % (pool.byteLength / blockBytes)) * blockBytes;
  for (let left = planBytes(plan); left > 0; ) {
    const piece = pool.subarray(from, Math.min(pool.byteLength, from + left));
    await writer.write(piece);
    left -= piece.byteLength;
    from = 0;
  }
}

/** Norms pass their input through; biases are 0. */
function vector(plan) {
  const numbers = new Float32Array(plan.shape[0]).fill(plan.name.endsWith('norm.weight') ? 1 : 0);
  return new Uint8Array(numbers.buffer);
}

async function tokenizerOf(path) {
  const weights = await openGgufWeights(path);
  await weights.close();
  return weights.tokenizer;
}

function tokenizer() {
  const { tokens, merges } = syntheticVocabulary();
  const extra = Array.from({ length: config.vocabSize - tokens.length }, (_, i) => `<|extratoken_${i + 1}|>`);
  const all = [...tokens, ...extra];
  const addedTokens = all
    .slice(config.eosTokenId)
    .map((content, i) => plainAddedToken(config.eosTokenId + i, content, i === 0));
  return { tokens: all, merges, addedTokens, unused: [] };
}
