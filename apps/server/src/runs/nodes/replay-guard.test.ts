import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReplayGuard } from './replay-guard.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');

function openGuard() {
  const state = { now: NOW, acceptsUntimed: false };
  const guard = createReplayGuard({ now: () => state.now, acceptsUntimed: () => state.acceptsUntimed });
  return { state, refusalOf: (nonce: string, signedAtMs: number | null) => guard.refusalOf({ nonce, signedAtMs }) };
}

test('a request is accepted once, for as long as its time allows', () => {
  const { state, refusalOf } = openGuard();
  assert.equal(refusalOf('a', NOW), null);
  for (const later of [0, 1, 10_000, 30_000]) {
    state.now = NOW + later;
    assert.equal(refusalOf('a', NOW), 'it was accepted before');
  }
  assert.equal(refusalOf('b', state.now), null);
  state.now = NOW + 30_001;
  assert.match(refusalOf('a', NOW) ?? '', /within 30 s .* got one 30 s before it/);
  state.now = NOW + 600_000;
  assert.match(refusalOf('a', NOW) ?? '', /got one 600 s before it/);
});

test('a request from a clock that is ahead is accepted within half a minute, and remembered until its time is past', () => {
  const { state, refusalOf } = openGuard();
  assert.match(refusalOf('a', NOW + 30_001) ?? '', /got one -30 s before it/);
  assert.equal(refusalOf('a', NOW + 30_000), null);
  state.now = NOW + 60_000;
  // Another request has the guard forget what is past.
  assert.equal(refusalOf('b', state.now), null);
  assert.notEqual(refusalOf('a', NOW + 30_000), null);
});

test('a request without a time is accepted once, while a server of the release before is alive', () => {
  const { state, refusalOf } = openGuard();
  assert.match(refusalOf('a', null) ?? '', /it has no time/);
  state.acceptsUntimed = true;
  assert.equal(refusalOf('a', null), null);
  assert.equal(refusalOf('a', null), 'it was accepted before');
  state.acceptsUntimed = false;
  assert.match(refusalOf('b', null) ?? '', /it has no time/);
});
