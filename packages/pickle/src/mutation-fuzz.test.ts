// A seeded mutation fuzzer: for any mutation of a real pickle, the reader returns a value within its limits or throws
// a PickleError.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  decodeHex,
  type JsonValue,
  PickleError,
  PickleObject,
  type PicklePolicy,
  readPickle,
  runPickle,
  toJson,
} from './index.ts';
import { opcode } from './opcode.ts';

const MUTATIONS = 10_000;
const LIMITS = { nodes: 20_000, text: 500_000, depth: 50 };

// Small ones, so that a mutation hits structure rather than the inside of a long string.
const SEEDS = readSeeds().filter((bytes) => bytes.length < 5000);
const OPCODES = Object.values(opcode);

test(`${MUTATIONS} mutations of real pickles end in a value within the limits or a PickleError`, () => {
  const random = seededRandom(20_220_323);
  const outcomes = new Map<string, number>();
  for (let round = 0; round < MUTATIONS; round += 1) {
    const bytes = mutate(pick(SEEDS, random), random);
    let outcome = 'value';
    try {
      const value = readPickle(bytes, LIMITS);
      assert.ok(countNodes(toJson(value)) <= LIMITS.nodes, `round ${round}`);
    } catch (error) {
      if (!(error instanceof PickleError)) {
        throw new Error(`round ${round}: ${Buffer.from(bytes).toString('hex')}`, { cause: error });
      }
      outcome = error.code;
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // Fails if the mutations no longer reach all parts of the reader.
  assert.ok((outcomes.get('value') ?? 0) > MUTATIONS / 50, 'values');
  assert.ok(outcomes.size > 15, `kinds of outcome: ${[...outcomes.keys()].join(', ')}`);
});

test('with every policy hook accepting, mutations still end in a value or a PickleError', () => {
  const random = seededRandom(6);
  const permissive: PicklePolicy<string> = {
    keys: 'primitive',
    global: (module, name) => new PickleObject(`${module}.${name}`),
    persistentLoad: () => new PickleObject('stored'),
    reduce: (_, args) => args[0] ?? new Map(),
    build: (target) => target,
  };
  for (let round = 0; round < MUTATIONS / 4; round += 1) {
    const bytes = mutate(pick(SEEDS, random), random);
    try {
      runPickle(bytes, permissive, LIMITS);
    } catch (error) {
      assert.ok(error instanceof PickleError, `round ${round}: ${String(error)}`);
    }
  }
});

type Random = (below: number) => number;

/** One to four changes: flipped bits, cuts, splices of another pickle, inserted opcodes, edited lengths. */
function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = Array.from(original);
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(bytes.length + 1);
    switch (random(7)) {
      case 0:
        bytes[at % Math.max(bytes.length, 1)] = random(256);
        break;
      case 1:
        bytes = bytes.slice(0, at);
        break;
      case 2: {
        const other = pick(SEEDS, random);
        const from = random(other.length);
        bytes.splice(at, random(20), ...other.slice(from, from + random(200)));
        break;
      }
      case 3:
        bytes.splice(at, 0, pick(OPCODES, random));
        break;
      case 4:
        bytes.splice(at, 0, ...Array.from({ length: random(8) }, () => pick(OPCODES, random)));
        break;
      case 5:
        bytes.splice(at, 4, 255, random(256), random(2) * 255, random(2) * 127);
        break;
      default:
        bytes.splice(at, random(12));
    }
  }
  return Uint8Array.from(bytes);
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[random(items.length)];
  assert.ok(item !== undefined);
  return item;
}

function seededRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function countNodes(value: JsonValue): number {
  if (value === null || typeof value !== 'object') return 1;
  let count = 1;
  for (const child of Object.values(value)) count += countNodes(child);
  return count;
}

function readSeeds(): Uint8Array[] {
  const vectors: unknown = JSON.parse(
    readFileSync(new URL('../../../test/goldens/pickle-vectors.json', import.meta.url), 'utf8'),
  );
  assert.ok(typeof vectors === 'object' && vectors !== null && 'accept' in vectors && Array.isArray(vectors.accept));
  return vectors.accept.map((vector: { readonly hex: string }) => decodeHex(vector.hex));
}
