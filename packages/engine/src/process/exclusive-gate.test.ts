import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExclusiveGate } from './exclusive-gate.ts';

/** Enter under a name, which `inside` lists from then on. */
async function enter(gate: ExclusiveGate, inside: string[], name: string, alone: boolean): Promise<() => void> {
  const leave = await gate.enter(alone);
  inside.push(name);
  return leave;
}

/** Promises that can settle have settled. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('lets one that is to be alone in when the others have left, and later ones after it', async () => {
  const gate = new ExclusiveGate();
  const inside: string[] = [];
  const [first, second] = await Promise.all([enter(gate, inside, 'a', false), enter(gate, inside, 'b', false)]);
  const alone = enter(gate, inside, 'alone', true);
  const later = enter(gate, inside, 'later', false);
  first();
  await settled();
  assert.deepEqual(inside, ['a', 'b']);
  second();
  const leave = await alone;
  await settled();
  assert.deepEqual(inside, ['a', 'b', 'alone']);
  leave();
  await later;
  assert.deepEqual(inside, ['a', 'b', 'alone', 'later']);
});

test('lets those behind in when one that waits to be alone is aborted', async () => {
  const gate = new ExclusiveGate();
  await gate.enter(false);
  const controller = new AbortController();
  const refused = assert.rejects(gate.enter(true, controller.signal), { name: 'AbortError' });
  const behind = gate.enter(false);
  controller.abort();
  await refused;
  await behind;
  await assert.rejects(gate.enter(false, AbortSignal.abort()), { name: 'AbortError' });
});
