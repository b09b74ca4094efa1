/**
 * A test that a process runs once before it computes with the kernels: a tiny model with weights of every type gives the
 * logits that it gave where the library was built, bit by bit. A processor, an emulator or a changed file that
 * computes otherwise is found in a few milliseconds, not in a generated text.
 */
import { type StoredTensor, type StoredWeights, TENSOR_TYPES } from '@gptj-cloud/checkpoint';
import type { GptjConfig } from '@gptj-cloud/model';
import { KernelContext } from './kernel-context.ts';
import type { WeightType } from './layout.ts';
import { type InstructionSet, instructionSetsUpTo, type KernelLibrary, STEP_DONE } from './library.ts';
import { type PackedWeights, packStoredWeights } from './packed-weights.ts';
import { addressOf } from './system.ts';
import { startThreads } from './thread-pool.ts';

/** Hash of the logits, the same on every instruction set. It changes only when the order of operations does. */
const EXPECTED_HASH = 0x875ba163;

/** Rows of the steps: whole tiles of every set, then one row. */
const STEPS = [16, 1] as const;
const POSITIONS = STEPS[0] + STEPS[1];

const CONFIG: GptjConfig = {
  vocabSize: 64,
  contextLength: POSITIONS,
  embeddingSize: 256,
  layerCount: 1,
  headCount: 4,
  rotaryDim: 32,
  feedForwardSize: 256,
  layerNormEpsilon: 1e-5,
  bosTokenId: null,
  eosTokenId: null,
  eosTokenIds: [],
};

const MATRICES: Readonly<Record<string, WeightType>> = {
  'transformer.wte.weight': 'f32',
  'transformer.h.0.attn.q_proj.weight': 'q4_0',
  'transformer.h.0.attn.k_proj.weight': 'q8_0',
  'transformer.h.0.attn.v_proj.weight': 'q6_K',
  'transformer.h.0.attn.out_proj.weight': 'f16',
  'transformer.h.0.mlp.fc_in.weight': 'bf16',
  'transformer.h.0.mlp.fc_out.weight': 'q5_K',
  'lm_head.weight': 'q4_K',
};

const VECTORS = [
  'transformer.h.0.ln_1.weight',
  'transformer.h.0.ln_1.bias',
  'transformer.h.0.mlp.fc_in.bias',
  'transformer.h.0.mlp.fc_out.bias',
  'transformer.ln_f.weight',
  'transformer.ln_f.bias',
  'lm_head.bias',
] as const;

const results = new WeakMap<KernelLibrary, Promise<InstructionSet>>();

/** As {@link findWorkingSet}, computed once for each library. */
export function workingSet(library: KernelLibrary): Promise<InstructionSet> {
  const found = results.get(library) ?? findWorkingSet(library, EXPECTED_HASH);
  results.set(library, found);
  return found;
}

/** The fastest instruction set of this processor that computes the expected logits, or `none`. */
export async function findWorkingSet(library: KernelLibrary, expectedHash: number): Promise<InstructionSet> {
  if (library.fastest === 'none') return 'none';
  const weights = await packStoredWeights(library, pseudoRandomWeights(), POSITIONS);
  try {
    for (const set of instructionSetsUpTo(library.fastest)) {
      if ((await hashOfLogits(library, weights, set)) === expectedHash) return set;
    }
    return 'none';
  } finally {
    weights.free();
  }
}

/** Null where a step failed. */
async function hashOfLogits(
  library: KernelLibrary,
  weights: PackedWeights,
  set: InstructionSet,
): Promise<number | null> {
  const pool = startThreads(library, 1);
  const context = new KernelContext(library, weights, pool, { cells: POSITIONS, type: 'f16' }, set);
  const { vocabSize } = CONFIG;
  const logits = Array.from({ length: POSITIONS }, () => new Float32Array(new ArrayBuffer(4 * vocabSize)));
  try {
    let position = 0;
    for (const rows of STEPS) {
      const tokens = Array.from({ length: rows }, (_, i) => ((position + i) * 37 + 5) % vocabSize);
      const cells = Uint32Array.from({ length: position + rows }, (_, i) => i);
      const outputs = tokens.map((_, row) => {
        return { row, layer: -1, logits: addressOf(logits[position + row]!), hidden: null };
      });
      if ((await context.run([{ tokens, position, cells }], outputs, { blocks: false })) !== STEP_DONE) return null;
      position += rows;
    }
  } finally {
    context.free();
    pool.close();
  }
  return hashOf(logits);
}

/** FNV-1a over words of 32 bits. */
function hashOf(rows: readonly Float32Array<ArrayBuffer>[]): number {
  let hash = 0x811c9dc5;
  for (const row of rows) {
    for (const word of new Uint32Array(row.buffer)) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash >>> 0;
}

function pseudoRandomWeights(): StoredWeights {
  const { embeddingSize, vocabSize } = CONFIG;
  const matrices = Object.entries(MATRICES).map(([name, type]) => {
    const isOfTokens = name === 'transformer.wte.weight' || name === 'lm_head.weight';
    return tensor(name, [isOfTokens ? vocabSize : embeddingSize, embeddingSize], type);
  });
  const vectors = VECTORS.map((name) => tensor(name, [name === 'lm_head.bias' ? vocabSize : embeddingSize], 'f32'));
  const tensors = [...matrices, ...vectors];
  return {
    config: CONFIG,
    tensors,
    async readRows(name, firstRow, target) {
      const index = tensors.findIndex((each) => each.name === name);
      fill(target, tensors[index]!.type as WeightType, 1 + index * 1000 + firstRow);
    },
    close: async () => {},
  };
}

function tensor(name: string, shape: readonly number[], type: WeightType): StoredTensor {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  return { name, shape, type, sizeBytes: (shape.reduce((a, b) => a * b) / blockSize) * blockBytes };
}

/** Where blocks of a type have their scale, and the exponent of it that keeps weights below about 0.1. */
const SCALES: Readonly<Partial<Record<WeightType, { readonly at: number; readonly exponent: number }>>> = {
  q4_0: { at: 0, exponent: 6 },
  q8_0: { at: 0, exponent: 2 },
  // The scales of their minima, at 2, have the same size.
  q4_K: { at: 0, exponent: 1 },
  q5_K: { at: 0, exponent: 1 },
  q6_K: { at: 208, exponent: 1 },
};

/** Pseudo-random numbers of a type as a file has them, all finite. */
function fill(bytes: Uint8Array, type: WeightType, seed: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let state = Math.imul(seed, 0x9e3779b1);
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
  // A sign, some two bits of the exponent above a minimum, and a fraction.
  const half = (minExponent: number): number => (next() & 0x83ff) | ((minExponent + (next() & 3)) << 10);
  const scale = SCALES[type];
  if (scale === undefined) {
    const step = type === 'f32' ? 4 : 2;
    for (let at = 0; at < bytes.byteLength; at += step) {
      if (type === 'f16') view.setUint16(at, half(7), true);
      else if (type === 'bf16') view.setUint16(at, (next() & 0x807f) | ((119 + (next() & 3)) << 7), true);
      else view.setUint32(at, (next() & 0x807fffff) | ((119 + (next() & 3)) << 23), true);
    }
    return;
  }
  for (let at = 0; at < bytes.byteLength; at++) bytes[at] = next() >>> 8;
  const { blockBytes } = TENSOR_TYPES[type];
  for (let at = scale.at; at < bytes.byteLength; at += blockBytes) view.setUint16(at, half(scale.exponent), true);
  if (type !== 'q4_K' && type !== 'q5_K') return;
  for (let at = 2; at < bytes.byteLength; at += blockBytes) view.setUint16(at, half(scale.exponent), true);
}
