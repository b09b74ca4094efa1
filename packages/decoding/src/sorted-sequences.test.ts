import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Prefix, sortSequences } from './sorted-sequences.ts';
import { seededUniforms } from './testing/seeded-uniforms.ts';

const draw = seededUniforms(3);
const integer = (below: number) => Math.floor(draw() * below);
const tokens = (max: number) => Array.from({ length: integer(max + 1) }, () => integer(3));

test('follows prefixes as a search through all sequences does', () => {
  for (let round = 0; round < 300; round++) {
    const sequences = Array.from({ length: integer(9) }, () => tokens(5));
    const sorted = sortSequences(sequences, () => {});
    const path = tokens(5);
    let prefix: Prefix | null = sorted.root;
    for (let depth = 0; prefix !== null; depth++) {
      const beginning = path.slice(0, depth);
      const matching = [...sequences.entries()].filter(([, one]) => beginning.every((token, at) => one[at] === token));
      const ending = matching.filter(([, { length }]) => length === depth).map(([index]) => index);
      const next = matching.map(([, one]) => one[depth]).filter((token) => token !== undefined);
      assert.deepEqual([...sorted.endingAt(prefix)], ending);
      assert.equal(sorted.isEnd(prefix), ending.length > 0);
      assert.deepEqual(sorted.nextTokens(prefix), [...new Set(next)].sort());
      if (depth === path.length) break;
      prefix = sorted.follow(prefix, path[depth]!);
      assert.equal(prefix === null, !next.includes(path[depth]!));
    }
  }
});
