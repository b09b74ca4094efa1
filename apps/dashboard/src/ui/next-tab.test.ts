import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTab } from './next-tab.ts';

test('arrows go round the tabs, Home and End to the first and last', () => {
  const tabs = ['a', 'b', 'c'];
  assert.deepEqual(
    ['ArrowRight', 'ArrowLeft', 'Home', 'End', 'Enter'].map((key) => nextTab(tabs, 'c', key)),
    ['a', 'b', 'a', 'c', null],
  );
  assert.equal(nextTab(tabs, 'a', 'ArrowLeft'), 'c');
  assert.equal(nextTab([], 'a', 'Home'), null);
});
