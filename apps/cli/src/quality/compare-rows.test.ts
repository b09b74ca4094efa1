import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRows } from './compare-rows.ts';

/** Logits of these probabilities. */
const logits = (...shares: readonly number[]): Float32Array =>
  Float32Array.from(shares, (share) => Math.log(share) + 3);

function near(got: number, expected: number, tolerance = 1e-5): void {
  assert.ok(Math.abs(got - expected) < tolerance, `expected ${expected}, got ${got}`);
}

// By hand: KL(p ‖ q) = Σ p · ln(p / q).
test('losses and divergence are those of the distributions, whatever constant the logits have', () => {
  const compared = compareRows(
    logits(0.5, 0.25, 0.25),
    logits(0.25, 0.5, 0.25).map((value) => value - 40),
    1,
  );
  near(compared.referenceLoss, Math.log(4));
  near(compared.loss, Math.log(2));
  near(compared.divergence, 0.5 * Math.log(2) - 0.25 * Math.log(2));
  assert.equal(compared.agrees, false);
});

test('a token that the reference excludes adds nothing, and equal rows diverge by 0', () => {
  const certain = logits(1, 0);
  near(compareRows(certain, logits(0.5, 0.5), 0).divergence, Math.log(2));
  const row = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 9);
  const same = compareRows(row, row, 3);
  assert.deepEqual([same.divergence, same.agrees, same.loss === same.referenceLoss], [0, true, true]);
});
