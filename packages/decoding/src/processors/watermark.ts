import type { TokenId } from '@gptj-cloud/model';
import { each, type LogitsProcessor } from '../logits-processor.ts';
import { permutationPrefix, positionInPermutation } from '../numerics/mersenne-twister.ts';
import { Ranking } from '../numerics/ranking.ts';
import type { WatermarkConfig } from '../parameters/read-watermark.ts';
import { type Charge, STEPS } from '../work-budget.ts';

const TABLE_SIZE = 1_000_003;
/** Number of candidates that the self-hashing scheme considers. */
const CANDIDATES = 40;
const SEED_MODULUS = 2n ** 64n - 1n;
/** Steps of seeding the random generator of one permutation. */
const SEED_STEPS = 2500;
/** Steps of following one value through one exchange. */
const DRAW_STEPS = 11;

const ranking = new Ranking();
/** The table of the last hashing key: 4 MB, the same for every request that keeps the default key. */
let lastTable: HashTable | null = null;

interface HashTable {
  readonly key: number;
  readonly entries: Int32Array;
}

/**
 * The green-list watermark (arXiv 2301.10226; self-hashing: 2306.04634): the end of the sequence seeds a permutation
 * of the vocabulary, and its first part, the green list, gains `bias`. Matches transformers on the CPU.
 *
 * `hold` takes the bytes of the table that the self-hashing scheme keeps.
 */
export function watermarker(config: WatermarkConfig, charge: Charge, hold: Charge): LogitsProcessor {
  if (config.seedingScheme === 'lefthash') {
    return each(({ scores, sequence }) =>
      sequence.length < config.contextWidth ? 1 : addByLastToken(scores, sequence, config),
    );
  }
  const table = hashTable(config.hashingKey, charge, hold);
  return (rows, chargeRow) => {
    for (const { scores, sequence } of rows) {
      if (sequence.length >= config.contextWidth) addByContext(scores, sequence, config, table, chargeRow);
    }
  };
}

function addByLastToken(scores: Float32Array, sequence: readonly TokenId[], config: WatermarkConfig): number {
  const seed = (BigInt(config.hashingKey) * BigInt(sequence.at(-1)!)) % SEED_MODULUS;
  for (const token of permutationPrefix(scores.length, greenTokens(config, scores.length), low32(seed)))
    scores[token] = scores[token]! + config.bias;
  return lefthashSteps(config, scores.length);
}

function addByContext(
  scores: Float32Array,
  sequence: readonly TokenId[],
  config: WatermarkConfig,
  table: HashTable,
  charge: Charge,
): void {
  const green = greenTokens(config, scores.length);
  // A candidate's green list depends on the candidate, so each is looked up in its own list.
  ranking.rank(scores);
  const candidates = Array.from({ length: Math.min(CANDIDATES, ranking.count) }, (_, at) => ranking.at(at));
  charge(ranking.steps);
  const hash = selfHasher(sequence.slice(sequence.length + 1 - config.contextWidth), table, charge);
  for (const token of candidates) {
    const position = positionInPermutation(scores.length, green, low32(hash(token)), token);
    charge(SEED_STEPS + DRAW_STEPS * (position === -1 ? green : position + 1));
    if (position !== -1) scores[token] = scores[token]! + config.bias;
  }
}

/** The fewest steps that the watermark of one row of `vocabSize` scores takes. */
export function leastWatermarkSteps(config: WatermarkConfig, vocabSize: number): number {
  if (config.seedingScheme === 'lefthash') return lefthashSteps(config, vocabSize);
  const green = greenTokens(config, vocabSize);
  // A candidate is in its list with a chance of greenlist_ratio, half way in the mean. Half of the mean is as good as
  // certain over 40 candidates.
  const mean = green * (1 - config.greenlistRatio / 2);
  return CANDIDATES * (SEED_STEPS + (DRAW_STEPS * mean) / 2);
}

function lefthashSteps(config: WatermarkConfig, vocabSize: number): number {
  return SEED_STEPS + 2 * vocabSize + STEPS.exchange * greenTokens(config, vocabSize);
}

function greenTokens({ greenlistRatio }: WatermarkConfig, vocabSize: number): number {
  return Math.trunc(vocabSize * greenlistRatio);
}

/**
 * The seed of a candidate's green list: the smallest, as a signed 64-bit number, of key * entry * lastEntry over the
 * entries of the context and the candidate. The products with the key are the same for every candidate, and are kept as two
 * halves of 32 bits: one BigInt operation takes as long as all of this.
 */
function selfHasher(
  context: readonly TokenId[],
  { key, entries }: HashTable,
  charge: Charge,
): (candidate: TokenId) => bigint {
  const entry = (token: TokenId) => entries[token % TABLE_SIZE]! + 1;
  const keyed = (token: TokenId) => BigInt.asUintN(64, BigInt(key) * BigInt(entry(token)));
  const tokens = [...new Set(context)];
  const products = tokens.map(keyed);
  const low = Float64Array.from(products, (product) => Number(product & 0xffff_ffffn));
  const high = Float64Array.from(products, (product) => Number(product >> 32n));
  charge(STEPS.map * context.length + 8 * STEPS.map * tokens.length);
  return (candidate) => {
    charge(STEPS.random * tokens.length);
    const last = entry(candidate);
    const own = BigInt.asIntN(64, keyed(candidate) * BigInt(last));
    let leastHigh = Number(own >> 32n);
    let leastLow = Number(own & 0xffff_ffffn);
    for (let at = 0; at < low.length; at++) {
      // last < 2^20, so each product is exact in float64.
      const lowProduct = low[at]! * last;
      const carry = Math.floor(lowProduct / 2 ** 32);
      const highHalf = (high[at]! * last + carry) | 0;
      const lowHalf = lowProduct - carry * 2 ** 32;
      if (highHalf < leastHigh || (highHalf === leastHigh && lowHalf < leastLow)) {
        leastHigh = highHalf;
        leastLow = lowHalf;
      }
    }
    const seed = (BigInt(leastHigh) * 2n ** 32n + BigInt(leastLow)) % SEED_MODULUS;
    return seed < 0n ? seed + SEED_MODULUS : seed;
  };
}

function hashTable(key: number, charge: Charge, hold: Charge): HashTable {
  hold(4 * TABLE_SIZE);
  if (lastTable?.key !== key) {
    charge(STEPS.exchange * TABLE_SIZE);
    lastTable = { key, entries: permutationPrefix(TABLE_SIZE, TABLE_SIZE, low32(BigInt(key))) };
  }
  return lastTable;
}

function low32(seed: bigint): number {
  return Number(BigInt.asUintN(32, seed));
}
