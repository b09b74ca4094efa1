import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixTree } from './prefix-tree.ts';

test('finds the longest common prefix, also when it ends within an edge', () => {
  const tree = new PrefixTree<string>();
  tree.set([1, 2, 3, 4, 5], 'a');
  tree.set([1, 2, 3, 9], 'b');
  tree.set([7], 'c');
  assert.deepEqual(tree.longest([1, 2, 3, 4, 8]), { length: 4, value: 'a' });
  assert.deepEqual(tree.longest([1, 2, 3, 9, 9]), { length: 4, value: 'b' });
  assert.equal(tree.longest([1, 2])?.length, 2);
  assert.equal(tree.longest([2]), null);
  assert.equal(tree.longest([]), null);
});

test('stores a sequence that is a prefix of another one', () => {
  const tree = new PrefixTree<string>();
  tree.set([1, 2, 3], 'long');
  tree.set([1, 2], 'short');
  assert.equal(tree.get([1, 2]), 'short');
  assert.equal(tree.get([1, 2, 3]), 'long');
  assert.equal(tree.get([1]), undefined);
  assert.ok(tree.delete([1, 2]));
  assert.deepEqual(tree.longest([1, 2]), { length: 2, value: 'long' });
  assert.equal(tree.delete([1, 2]), false);
});

test('agrees with a list of sequences over random operations', () => {
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const sequence = (): number[] => Array.from({ length: 1 + random(8) }, () => random(3));
  const tree = new PrefixTree<string>();
  const list = new Map<string, number[]>();
  for (let i = 0; i < 5000; i++) {
    const tokens = sequence();
    const name = tokens.join(',');
    if (random(3) === 0) {
      assert.equal(tree.delete(tokens), list.delete(name));
    } else {
      tree.set(tokens, name);
      list.set(name, tokens);
    }
    const query = sequence();
    const shared = (stored: readonly number[]): number => {
      const end = stored.findIndex((token, j) => token !== query[j]);
      return end === -1 ? stored.length : end;
    };
    const best = Math.max(0, ...[...list.values()].map(shared));
    const match = tree.longest(query);
    assert.equal(match?.length ?? 0, best);
    if (match !== null) assert.equal(shared(list.get(match.value)!), best);
  }
});
