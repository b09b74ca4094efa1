import type { TokenId } from '@gptj-cloud/model';
import { permutationPrefix } from '../numerics/mersenne-twister.ts';
import { Ranking } from '../numerics/ranking.ts';
import type { WatermarkConfig } from '../parameters/read-watermark.ts';

const TABLE_SIZE = 1_000_003;
/** Number of candidates that the self-hashing scheme considers. */
const CANDIDATES = 40;
const SEED_MODULUS = 2n ** 64n - 1n;

const ranking = new Ranking();
/** The table of the last hashing key: 4 MB, the same for every request that keeps the default key. */
let lastTable: { readonly key: number; readonly table: Int32Array } | null = null;

/**
 * The green-list watermark (arXiv 2301.10226; self-hashing: 2306.04634): the end of the sequence seeds a permutation
 * of the vocabulary, and its first part, the green list, gains `bias`. Matches transformers on the CPU.
 */
export function addWatermark(scores: Float32Array, sequence: readonly TokenId[], config: WatermarkConfig): void {
  if (sequence.length < config.contextWidth) return;
  const green = Math.trunc(scores.length * config.greenlistRatio);
  if (config.seedingScheme === 'lefthash') {
    const seed = (BigInt(config.hashingKey) * BigInt(sequence.at(-1)!)) % SEED_MODULUS;
    for (const token of permutationPrefix(scores.length, green, low32(seed)))
      scores[token] = scores[token]! + config.bias;
    return;
  }
  // A candidate's green list depends on the candidate, so each is looked up in its own list.
  ranking.rank(scores);
  const candidates = Array.from({ length: Math.min(CANDIDATES, ranking.count) }, (_, at) => ranking.at(at));
  for (const token of candidates) {
    const context = [...sequence.slice(sequence.length + 1 - config.contextWidth), token];
    const list = permutationPrefix(scores.length, green, low32(selfHash(context, config.hashingKey)));
    if (list.includes(token)) scores[token] = scores[token]! + config.bias;
  }
}

function selfHash(context: readonly TokenId[], key: number): bigint {
  if (lastTable?.key !== key) {
    lastTable = { key, table: permutationPrefix(TABLE_SIZE, TABLE_SIZE, low32(BigInt(key))) };
  }
  const { table } = lastTable;
  const entry = (token: TokenId) => BigInt(table[token % TABLE_SIZE]! + 1);
  const last = entry(context.at(-1)!);
  let min: bigint | null = null;
  for (const token of context) {
    const hash = BigInt.asIntN(64, BigInt.asIntN(64, BigInt(key) * entry(token)) * last);
    if (min === null || hash < min) min = hash;
  }
  const seed = (min ?? 0n) % SEED_MODULUS;
  return seed < 0n ? seed + SEED_MODULUS : seed;
}

function low32(seed: bigint): number {
  return Number(BigInt.asUintN(32, seed));
}
