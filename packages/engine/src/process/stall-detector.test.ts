import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { LOOK_MS, type SignsOfLife } from './signs-of-life.ts';
import { CANCEL_GRACE_MS, type Stall, StallDetector, SUSPICION_MS } from './stall-detector.ts';

const limits = { stallMs: 10_000, evaluationMs: 60_000 };
const idle: SignsOfLife = { beats: 1, steps: 2, generation: null, evaluations: 4, cpuMs: null };
const cancelled = new Set<number>();
let detector: StallDetector;

beforeEach(() => {
  cancelled.clear();
  detector = new StallDetector(limits, (generation) => cancelled.has(generation));
});

/** The first stall over looks that `signsAt` describes, and the time of it; null when there is none in `ms`. */
function stallWithin(ms: number, signsAt: (look: number) => SignsOfLife): (Stall & { readonly atMs: number }) | null {
  for (let look = 0; look * LOOK_MS <= ms; look++) {
    const stall = detector.look(signsAt(look));
    if (stall !== null) return { ...stall, atMs: look * LOOK_MS };
  }
  return null;
}

test('blames the generation whose step does not return within the limit', () => {
  const stall = stallWithin(60_000, () => ({ ...idle, generation: 7 }));
  assert.deepEqual([stall?.generation, stall?.atMs], [7, limits.stallMs]);
});

test('blames no generation for a silence between steps', () => {
  assert.equal(stallWithin(60_000, () => idle)?.generation, null);
});

test('finds no stall as long as the event loop turns or steps begin', () => {
  assert.equal(
    stallWithin(600_000, (look) => ({ ...idle, beats: look })),
    null,
  );
  assert.equal(
    stallWithin(600_000, (look) => ({ ...idle, steps: look, generation: look })),
    null,
  );
});

test('ends a step that has used the processor for half of the limit', () => {
  const stall = stallWithin(60_000, (look) => ({ ...idle, generation: 7, cpuMs: 90_000 + look * LOOK_MS }));
  assert.equal(stall?.atMs, limits.stallMs / 2);
  // On a busy machine a step that gets a tenth of a core has the whole limit.
  detector = new StallDetector(limits, () => false);
  const waiting = stallWithin(60_000, (look) => ({ ...idle, generation: 7, cpuMs: (look * LOOK_MS) / 10 }));
  assert.equal(waiting?.atMs, limits.stallMs);
});

test('ends the step of a cancelled generation after a grace', () => {
  cancelled.add(7);
  assert.equal(stallWithin(60_000, () => ({ ...idle, generation: 7 }))?.atMs, CANCEL_GRACE_MS);
});

test('ends an evaluation that takes longer than its limit, and blames no generation', () => {
  const stall = stallWithin(600_000, (look) => ({ ...idle, beats: look, evaluations: 5 }));
  assert.deepEqual([stall?.generation, stall?.atMs], [null, limits.evaluationMs]);
  detector = new StallDetector(limits, () => false);
  assert.equal(
    stallWithin(600_000, (look) => ({ ...idle, beats: look, evaluations: 2 * look + 1 })),
    null,
  );
});

test('ends a process whose watcher is silent, however often it is asked in between', () => {
  const ticks = limits.stallMs / LOOK_MS;
  for (let tick = 1; tick < ticks; tick++) assert.equal(detector.tick(), null);
  detector.look(idle);
  for (let tick = 1; tick < ticks; tick++) assert.equal(detector.tick(), null);
  assert.deepEqual(detector.tick()?.generation, null);
});

test('suspects a generation some time before its step counts as stalled', () => {
  for (let look = 0; look * LOOK_MS < SUSPICION_MS; look++) {
    detector.look({ ...idle, generation: 7 });
    assert.equal(detector.suspect, null);
  }
  detector.look({ ...idle, generation: 7 });
  assert.equal(detector.suspect, 7);
  detector.look({ ...idle, beats: 2 });
  assert.equal(detector.suspect, null);
});
