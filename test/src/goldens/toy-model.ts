// The toy model of the generation goldens: logits, hidden states and inner layers are hashes of the prefix, so
// that no weights and no recordings are needed. All integers are unsigned 32-bit and wrap.
import type { NoiseSource, RowResult, Scorer } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import { type Fields, toFields } from './golden-json.ts';

const GOLDEN_RATIO = 0x9e3779b9;
const HIDDEN_SALT = 0x5bd1e995;
const LAYER_SALT = 0x85ebca6b;

export interface ToyModel {
  readonly vocabSize: number;
  readonly layerCount: number;
  readonly score: Scorer;
}

/** The model a case describes: {vocab, seed, k, shift, bias, hidden_k?, hidden_dim?, num_layers?}. */
export function toyModel(model: Fields): ToyModel {
  const vocabSize = model.number('vocab');
  const seed = model.number('seed');
  const k = model.number('k');
  const scale = 2 ** model.number('shift');
  const bias = model.list('bias').map((entry) => {
    const [id, add] = toFields({ entry }, 'bias').numbers('entry');
    return [id ?? 0, add ?? 0] as const;
  });
  const hiddenK = model.has('hidden_k') ? model.number('hidden_k') : 0;
  const hiddenSize = model.has('hidden_dim') ? model.number('hidden_dim') : 0;
  const logits = (prefix: readonly TokenId[]) => {
    const row = hashRow(contextHash(seed, prefix, k), vocabSize, scale);
    for (const [id, add] of bias) row[id]! += add;
    return row;
  };
  const hidden = (prefix: readonly TokenId[]) =>
    hashRow(contextHash(seed ^ HIDDEN_SALT, prefix, hiddenK), hiddenSize, 4096);
  const layer = (prefix: readonly TokenId[], index: number) =>
    hashRow(contextHash(seed ^ Math.imul(index + 1, LAYER_SALT), prefix, k), vocabSize, scale);
  return {
    vocabSize,
    layerCount: model.has('num_layers') ? model.number('num_layers') : 0,
    score: ({ tokens, start, hidden: wantsHidden, layers }): RowResult => {
      const prefixes = tokens.slice(start).map((_, at) => tokens.slice(0, start + at + 1));
      return {
        logits: prefixes.map(logits),
        hidden: wantsHidden ? prefixes.map(hidden) : [],
        layers: layers.map((index) => prefixes.map((prefix) => layer(prefix, index))),
      };
    },
  };
}

/** Scores of a hash row without a prefix (`scores_gen` of the processor cases). */
export function hashScores(vocabSize: number, seed: number, shift: number): Float32Array {
  return hashRow(mix(seed), vocabSize, 2 ** shift);
}

/** The goldens' noise: one linear congruential stream per index. */
export function lcgNoise(seed: number): NoiseSource {
  return {
    stream: (index) => {
      let state = mix(seed + Math.imul(index + 1, GOLDEN_RATIO));
      return {
        kind: 'uniform',
        next: () => {
          state = (Math.imul(1664525, state) + 1013904223) >>> 0;
          return (state + 0.5) / 2 ** 32;
        },
      };
    },
  };
}

function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

function contextHash(seed: number, prefix: readonly TokenId[], k: number): number {
  let hash = mix(seed);
  for (const token of k === 0 ? prefix : prefix.slice(-k)) hash = mix(hash + token + 1);
  return hash;
}

function hashRow(hash: number, size: number, scale: number): Float32Array {
  const row = new Float32Array(size);
  for (let at = 0; at < size; at++) {
    row[at] = ((mix(hash + Math.imul(at + 1, GOLDEN_RATIO)) >>> 16) - 32768) / scale;
  }
  return row;
}
