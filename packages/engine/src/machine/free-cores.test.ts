import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreeCores } from './free-cores.ts';

/** A machine whose time passes with `pass`: milliseconds that its cores were idle, and that this process used. */
function machine(freeNow: number | null = null) {
  let nowMs = 0;
  let idleMs = 5_000;
  let ownMs = 70;
  const cores = new FreeCores({ now: () => nowMs, idleMs: () => idleMs, ownMs: () => ownMs, freeNow: () => freeNow });
  const pass = (ms: number, idle: number, own: number): number | null => {
    nowMs += ms;
    idleMs += idle;
    ownMs += own;
    return cores.estimate();
  };
  return { pass };
}

test('counts idle cores and those that this process used', () => {
  const { pass } = machine();
  assert.equal(pass(200, 200, 100), 1.5);
});

test('has no estimate before a tenth of a second, and keeps one for a quarter', () => {
  const { pass } = machine();
  assert.equal(pass(60, 120, 0), null);
  assert.equal(pass(60, 120, 0), 2);
  assert.equal(pass(200, 0, 0), 2);
  assert.equal(pass(50, 0, 125), 0.5);
});

test('counts the cores that are free at the moment after a pause, and again a tenth of a second later', () => {
  const { pass } = machine(2);
  assert.equal(pass(200, 0, 0), 0);
  assert.equal(pass(5_000, 1_000, 0), 2);
  assert.equal(pass(90, 0, 0), 2);
  assert.equal(pass(10, 0, 100), 1);
  assert.equal(pass(1_000, 500, 0), 0.5);
});

test('estimates over the pause where the system does not say what runs', () => {
  const { pass } = machine();
  pass(200, 0, 0);
  assert.equal(pass(5_000, 1_000, 0), 0.2);
});

test('estimates no cores where the others use all', () => {
  const { pass } = machine();
  assert.equal(pass(100, 0, 0), 0);
});

test('reads the times of this machine', () => {
  let nowMs = 0;
  const cores = new FreeCores({ now: () => nowMs });
  nowMs = 1e6;
  const free = cores.estimate();
  assert.ok(free !== null && free >= 0 && free < 1);
});
