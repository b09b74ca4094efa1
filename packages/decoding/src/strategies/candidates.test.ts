import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { topCandidates } from './candidates.ts';

const ignore = () => {};

test('the best candidates are those of a stable sort of all cells', () => {
  const draw = seededUniforms(2);
  for (let round = 0; round < 60; round++) {
    const steps = [2, 10, 1e6][round % 3]!;
    const rows = Array.from({ length: 1 + (round % 4) }, (_, beam) => ({
      beam,
      scores: Float32Array.from({ length: 300 }, () => -Math.floor(draw() * steps)),
      beamScore: -Math.floor(draw() * 3),
    }));
    const cells = rows.flatMap(({ beam, scores, beamScore }) =>
      Array.from(scores, (score, token) => ({ beam, token, score: score + beamScore })),
    );
    const count = [1, 6, 130, 1300][round % 4]!;
    const expected = cells.sort((a, b) => b.score - a.score).slice(0, count);
    assert.deepEqual(topCandidates(rows, count, ignore), expected);
  }
});

test('a row in ascending order takes about as many steps as another', () => {
  const stepsFor = (scores: Float32Array): number => {
    let steps = 0;
    topCandidates([{ beam: 0, scores, beamScore: 0 }], 1000, (charged) => {
      steps += charged;
    });
    return steps;
  };
  const ascending = Float32Array.from({ length: 50_000 }, (_, token) => token);
  assert.ok(stepsFor(ascending) < 120 * ascending.length);
  assert.ok(stepsFor(ascending.toReversed()) < stepsFor(ascending));
});
