import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationRequest } from '../engine.ts';
import { FairShare } from './fair-share.ts';
import { Generation } from './generation.ts';
import { TenantTime } from './tenant-time.ts';

function generation(tenant: string): Generation {
  const request = { tenant, prompt: [1], config: { numBeams: 1, numReturnSequences: 1, maxLength: 2, lora: [] } };
  return new Generation(request as unknown as GenerationRequest, { event() {}, failed() {} }, () => 0);
}

/** Two tenants with work: `debtor` is in debt to `other`. `step(ms)` takes a step of the debtor. */
function open() {
  let now = 0;
  const time = new TenantTime(new FairShare(), () => now);
  const [debtor, other] = [generation('debtor'), generation('other')];
  time.enter(debtor);
  time.charge(debtor, 5000);
  time.enter(other);
  const step = (ms: number) =>
    time.step(debtor, () => {
      now += ms;
    });
  return { time, debtor, other, step };
}

test('steps of a tenant in debt take an eighth of an evaluation, or one step', () => {
  const { time, debtor, other, step } = open();
  time.beginSteps(80, 0);
  for (const ms of [4, 4, 4]) {
    assert.equal(time.isPastTurn(debtor), false);
    step(ms);
  }
  assert.deepEqual([time.isPastTurn(debtor), time.isPastTurn(other)], [true, false]);
  time.beginSteps(8, 0);
  // 2 ms are kept back, and 1 ms is allowed.
  assert.equal(time.isPastTurn(debtor), true);
});

test('a costly step is kept back from as many evaluations as it takes an eighth of', () => {
  const { time, debtor, step } = open();
  time.beginSteps(16, 0);
  step(20);
  let waited = 0;
  for (time.beginSteps(16, 0); time.isPastTurn(debtor); time.beginSteps(16, 0)) waited++;
  assert.equal(waited, 9);
});

test('a tenant that is not in debt any more does not wait', () => {
  const { time, debtor, other, step } = open();
  time.beginSteps(8, 0);
  step(20);
  assert.equal(time.isPastTurn(debtor), true);
  time.leave(other);
  assert.equal(time.isPastTurn(debtor), false);
});

test('rows that made an evaluation longer wait until the others had twice as much time', () => {
  const { time } = open();
  // 10 ms of the others, and 30 of rows of tenants in debt, which may take 5.
  time.beginSteps(40, 3 / 4);
  let waited = 0;
  for (; time.keepsRowsBack; time.beginSteps(10, 0)) waited++;
  assert.equal(waited, 5);
});

test('rows that add at most half of the time of the others take part in every evaluation', () => {
  const { time } = open();
  for (let round = 0; round < 4; round++) {
    time.beginSteps(30, 1 / 3);
    assert.equal(time.keepsRowsBack, false);
  }
});
