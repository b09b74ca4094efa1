import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Generation } from './generation.ts';
import { gatherPrompts } from './prompt-gathering.ts';

interface Stub {
  readonly steps?: number;
  readonly arrivedAt?: number;
  readonly firstStepAt?: number | null;
  readonly priority?: number;
  /** Tokens that are not evaluated yet. */
  readonly tokens?: number;
}

function stub({ steps = 0, arrivedAt = 0, firstStepAt = null, priority = 0, tokens = 1 }: Stub): Generation {
  const row = { tokens: Array.from({ length: tokens }, () => 1), from: null, scored: 'last' } as const;
  const run = { work: tokens === 0 ? [] : [{ row, sequence: 0, fed: 0 }] };
  return { steps, arrivedAt, firstStepAt, priority, run } as unknown as Generation;
}

/** The positions of the stubs that take part. */
function chosen(stubs: readonly Stub[]): readonly number[] {
  const generations = stubs.map(stub);
  return gatherPrompts(generations).map((one) => generations.indexOf(one));
}

const decoding = (steps: number, more: Stub = {}): Stub => ({ steps, firstStepAt: 10, ...more });

test('lets generations with one token wait for prompts that arrived before that token', () => {
  assert.deepEqual(
    chosen([decoding(1), { arrivedAt: 9, tokens: 40 }, decoding(1), { arrivedAt: 9, tokens: 3 }]),
    [1, 3],
  );
  assert.deepEqual(chosen([decoding(1), { arrivedAt: 11, tokens: 40 }]), [0, 1], 'it arrived later');
  assert.deepEqual(chosen([decoding(1), decoding(1)]), [0, 1], 'there is no prompt');
});

test('lets nothing wait while a generation has decoded more', () => {
  assert.deepEqual(chosen([decoding(1), decoding(2), { tokens: 40 }]), [0, 1, 2]);
});

test('lets nothing wait for long prompts, or for those of a lower priority', () => {
  assert.deepEqual(chosen([decoding(1), { tokens: 256 }, { tokens: 256 }]), [1, 2]);
  assert.deepEqual(chosen([decoding(1), { tokens: 256 }, { tokens: 257 }]), [0, 1, 2]);
  assert.deepEqual(chosen([decoding(1, { priority: 1 }), { tokens: 40 }]), [0, 1]);
});

test('waits for no generation whose rows are all evaluated', () => {
  assert.deepEqual(chosen([decoding(1), { tokens: 0 }]), [0, 1]);
});
