import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtOnce } from './built-once.ts';
import { buildLogitsProcessors } from './logits-processor-list.ts';
import { parseGenerateParameters } from './parameters/parse-generate-parameters.ts';
import { workBudget } from './work-budget.ts';

test('builds a table once for each value, and charges each caller for it', () => {
  let builds = 0;
  let charged = 0;
  const sorted = builtOnce((values: readonly number[], charge) => {
    builds++;
    charge(values.length);
    charge(1);
    return values.toSorted();
  });
  const charge = (steps: number): void => {
    charged += steps;
  };
  const value = [3, 1, 2];
  assert.equal(sorted(value, charge), sorted(value, charge));
  assert.deepEqual([builds, charged], [1, 8]);
  assert.deepEqual(sorted([...value], charge), [1, 2, 3]);
  assert.deepEqual([builds, charged], [2, 12]);
});

test('keeps no table that costs more than its first caller may spend', () => {
  const table = builtOnce((values: readonly number[], charge) => {
    charge(values.length);
    return values.length;
  });
  const value = [1, 2, 3];
  const refuse = (): never => {
    throw new RangeError('too much');
  };
  assert.throws(() => table(value, refuse), RangeError);
  assert.equal(
    table(value, () => {}),
    3,
  );
  assert.throws(() => table(value, refuse), RangeError);
});

test('generations that share their parameters share the tables, and each is charged the same', () => {
  let reads = 0;
  const context = { vocabSize: 100, contextLength: 64, eosTokenId: 99, promptLength: 1 };
  const { config } = parseGenerateParameters({ sequence_bias: [[[5], 1]], bad_words_ids: [[6, 7]] }, context);
  const counted = config.sequenceBias.map(({ tokens, bias }) => ({
    bias,
    get tokens() {
      reads++;
      return tokens;
    },
  }));
  const shared = { ...config, sequenceBias: counted };
  const steps = [1, 2, 3].map(() => {
    const budget = workBudget();
    buildLogitsProcessors(shared, [1], null, undefined, budget);
    return budget.stepsOfGeneration();
  });
  const once = reads;
  buildLogitsProcessors(shared, [2], null);
  assert.ok(once > 0 && reads === once, `read ${once} times, then ${reads}`);
  assert.equal(new Set(steps).size, 1);
  assert.ok(steps[0]! > 0);
});
