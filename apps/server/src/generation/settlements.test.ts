import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSettlements } from './settlements.ts';

/** A settlement that the test ends. */
function openSettlement(): { readonly ended: Promise<void>; readonly end: () => void; readonly fail: () => void } {
  let end = (): void => {};
  let fail = (): void => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = () => reject(new Error('the store is away'));
  });
  return { ended, end, fail };
}
const ignore = (error: unknown): void => assert.fail(String(error));

test('a reply does not wait for its settlement, a reader of usage does', async () => {
  const settlements = createSettlements(ignore);
  const one = openSettlement();
  await settlements.add(one.ended);
  let isSettled = false;
  const settled = settlements.settled().then(() => {
    isSettled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSettled, false);
  one.end();
  await settled;
  await settlements.settled();
});

test('replies wait while more than 64 settlements do', async () => {
  const settlements = createSettlements(ignore);
  const first = Array.from({ length: 64 }, openSettlement);
  for (const one of first) await settlements.add(one.ended);
  const last = openSettlement();
  let hasReplied = false;
  const reply = settlements.add(last.ended).then(() => {
    hasReplied = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasReplied, false);
  for (const one of [...first, last]) one.end();
  await reply;
  await settlements.add(openSettlement().ended);
});

test('after a failure replies wait and report one, until a settlement succeeds', async () => {
  const failures: unknown[] = [];
  const settlements = createSettlements((error) => failures.push(error));
  const [first, second, third] = [openSettlement(), openSettlement(), openSettlement()];
  await settlements.add(first.ended);
  first.fail();
  await settlements.settled();
  assert.equal(failures.length, 1);
  const reply = settlements.add(second.ended);
  second.fail();
  await assert.rejects(reply, /the store is away/);
  const late = settlements.add(third.ended);
  third.end();
  await late;
  await settlements.add(openSettlement().ended);
  assert.equal(failures.length, 1, 'the reply reported the second');
});
