import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertedStyles } from './style-hashes.mjs';

test('finds a constant style with the constants that it names', () => {
  const source = `const $a$KEY = 'data-x';
    let style = document.createElement('style');
    style.textContent = \`
  [\${$a$KEY}] { color: red }
    \`.trim();`;
  assert.deepEqual(insertedStyles(source, 'a.mjs'), ['[data-x] { color: red }']);
});

test('refuses a style that depends on values of the page', () => {
  const source = "const s = d.createElement('style'); s.textContent = `[$" + '{key}] {}`;';
  assert.throws(() => insertedStyles(source, 'a.mjs'), /expected a constant text key/);
  assert.throws(() => insertedStyles("d.createElement('style').append(text)", 'b.mjs'), /expected 1 constant styles/);
});
