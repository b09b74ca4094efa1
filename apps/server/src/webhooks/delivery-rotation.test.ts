import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDeliveryRotation, type Lane } from './delivery-rotation.ts';

const LIMITS = { concurrency: 8, concurrencyPerProject: 3, concurrencyPerHost: 4 };
const lane = (webhookId: string, projectId: string, more: Partial<Lane> = {}): Lane => ({
  webhookId,
  projectId,
  host: `${webhookId}.example`,
  isProven: true,
  due: 100,
  ...more,
});

test('projects take turns, whatever the number of their webhooks', () => {
  const rotation = createDeliveryRotation({ ...LIMITS, concurrency: 4 });
  const lanes = [lane('a1', 'a'), lane('a2', 'a'), lane('a3', 'a'), lane('b1', 'b')];
  assert.deepEqual(
    [...rotation.choose(lanes)],
    [
      ['a1', 1],
      ['b1', 2],
      ['a2', 1],
    ],
  );
});

test('a project that had its turn comes after one that has not', () => {
  const rotation = createDeliveryRotation({ ...LIMITS, concurrency: 1 });
  const lanes = [lane('a1', 'a'), lane('b1', 'b')];
  const turns = [1, 2, 3, 4].map(() => [...rotation.choose(lanes).keys()][0]);
  assert.deepEqual(turns, ['a1', 'b1', 'a1', 'b1']);
});

test('a project and a host have a limit of their own', () => {
  const rotation = createDeliveryRotation(LIMITS);
  assert.deepEqual([...rotation.choose([lane('a1', 'a')])], [['a1', 3]]);
  const shared = ['a', 'b', 'c'].map((project) => lane(`${project}1`, project, { host: 'shared.example' }));
  const chosen = rotation.choose(shared);
  assert.equal(
    [...chosen.values()].reduce((sum, count) => sum + count),
    4,
  );
  assert.equal(chosen.size, 3);
});

test('a receiver that has not replied gets one attempt at a time, and all such receivers half of the slots', () => {
  const rotation = createDeliveryRotation(LIMITS);
  const failing = (id: string): Lane => lane(id, id, { isProven: false });
  assert.deepEqual([...rotation.choose([failing('a')])], [['a', 1]]);
  const ends = ['a', 'b', 'c', 'd'].map((id) => rotation.begin(failing(id)));
  assert.equal(rotation.choose([failing('e')]).size, 0);
  assert.deepEqual([...rotation.choose([failing('e'), lane('f', 'f')])], [['f', 3]]);
  ends[0]?.();
  assert.deepEqual([...rotation.choose([failing('e')])], [['e', 1]]);
  for (const end of ends.slice(1)) end();
  assert.equal(rotation.sending, 0);
});
