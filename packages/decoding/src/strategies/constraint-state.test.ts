import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Constraint } from '../generate-config.ts';
import { advancingTokens, bankOf, constraintsAfter, isComplete, lengthOf } from './constraint-state.ts';

const phrase = (...tokens: number[]): Constraint => ({ type: 'phrasal', tokens });
const either = (...alternatives: number[][]): Constraint => ({ type: 'disjunctive', alternatives });

test('a phrase is matched token by token, and a mismatching token does not restart it', () => {
  const constraints = [phrase(1, 2, 3)];
  assert.equal(isComplete(constraintsAfter(constraints, [9, 1, 2, 3])), true);
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [1, 2])), [3]);
  // The second 1 breaks "1 2" and does not count as a new start.
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [1, 1])), [1]);
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [1, 1, 2])), [1]);
});

test('one constraint is in progress at a time, and a broken one moves to the end of the pending ones', () => {
  const constraints = [phrase(1, 2), phrase(5, 6)];
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [])), [1, 5]);
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [1])), [2]);
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [1, 9])), [5, 1]);
  assert.equal(isComplete(constraintsAfter(constraints, [5, 6, 1, 2])), true);
});

test('one alternative meets a constraint, and all partially matched ones remain possible', () => {
  const constraints = [either([1, 2, 3], [1, 4], [7])];
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [])), [1, 7]);
  assert.deepEqual(advancingTokens(constraintsAfter(constraints, [1])), [2, 4]);
  assert.equal(isComplete(constraintsAfter(constraints, [1, 4])), true);
  assert.equal(isComplete(constraintsAfter(constraints, [7])), true);
  assert.equal(isComplete(constraintsAfter(constraints, [1, 2])), false);
});

test('the bank counts met constraints and the progress of the current one', () => {
  const constraints = [phrase(1, 2), phrase(5, 6, 7)];
  const longest = Math.max(...constraints.map(lengthOf));
  const bank = (...sequence: number[]) => bankOf(constraintsAfter(constraints, sequence), longest);
  assert.equal(bank(), 0);
  assert.equal(bank(5), 1);
  assert.equal(bank(1), 2);
  assert.equal(bank(1, 2), 3);
  assert.equal(bank(1, 2, 5, 6), 5);
});
