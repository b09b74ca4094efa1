import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FIRST_TRY,
  hasStalled,
  isAlone,
  isExhausted,
  nextTries,
  type RunTries,
  stallingTries,
  untried,
} from './run-tries.ts';

/** Executions of a run during each of which the engine ends: `a` alone, `s` beside others. */
function executions(ranAlone: (tries: RunTries) => boolean): string {
  let log = '';
  for (let tries = FIRST_TRY; !isExhausted(tries); tries = nextTries(tries, isAlone(tries) || ranAlone(tries))) {
    log += isAlone(tries) ? 'a' : 's';
  }
  return log;
}

test('a run beside others is executed twice more alone before it fails', () => {
  assert.equal(
    executions(() => false),
    'ssaa',
  );
});

test('a run that had the engine to itself by chance fails after two executions', () => {
  assert.equal(
    executions(() => true),
    'sa',
  );
  assert.equal(
    executions(({ attempts }) => attempts === 2),
    'ssa',
  );
});

test('an execution that was stopped on purpose is not counted', () => {
  const second = nextTries(FIRST_TRY, false);
  const third = nextTries(second, false);
  assert.deepEqual(untried(third), second);
  assert.deepEqual(untried(FIRST_TRY), { attempts: 0, ownDeaths: 0 });
});

test('a run whose step stalled the engine when the server ended is not executed again', () => {
  assert.equal(hasStalled(nextTries(stallingTries(FIRST_TRY), false)), true);
  assert.equal(hasStalled(FIRST_TRY), false);
});
