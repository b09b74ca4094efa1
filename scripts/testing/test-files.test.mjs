import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { selectTestFiles } from './test-files.mjs';

const root = mkdtempSync(join(tmpdir(), 'gptj-test-files-'));
after(() => rmSync(root, { recursive: true }));
for (const path of [
  'packages/a/src/hex.ts',
  'packages/a/src/hex.test.ts',
  'packages/a/src/deep/tree.test.ts',
  'packages/a/dist/hex.js',
  'packages/a/dist/hex.test.js',
  'packages/a/dist/deep/tree.test.js',
  'packages/a/dist/moved-away.test.js',
  'packages/a/node_modules/x/dist/x.test.js',
  'packages/b/src/plain.ts',
  'scripts/check.test.mjs',
]) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), '');
}
const select = (...paths) => selectTestFiles(root, paths).map((file) => file.slice(root.length + 1));

test('without a path every test file that has a source is chosen', () => {
  assert.deepEqual(select(), [
    'packages/a/dist/deep/tree.test.js',
    'packages/a/dist/hex.test.js',
    'scripts/check.test.mjs',
  ]);
});

test('a source folder, a room and a compiled folder choose the tests below them', () => {
  assert.deepEqual(select('packages/a/src/deep'), ['packages/a/dist/deep/tree.test.js']);
  assert.equal(select('packages/a/src').length, 2);
  assert.equal(select('packages/a').length, 2);
  assert.equal(select('packages/a/dist').length, 2);
});

test('a source file and its test choose that test, named twice or not', () => {
  assert.deepEqual(select('packages/a/src/hex.ts', 'packages/a/src/hex.test.ts'), ['packages/a/dist/hex.test.js']);
  assert.deepEqual(select('packages/a/dist/hex.test.js'), ['packages/a/dist/hex.test.js']);
});

test('a path is read from the folder where npm was called, too', () => {
  assert.equal(selectTestFiles(root, ['src/deep'], join(root, 'packages/a')).length, 1);
});

test('refuses a path that does not exist and one without tests', () => {
  assert.throws(() => select('packages/c'), /packages\/c: no such file or folder/);
  assert.throws(() => select('packages/b'), /packages\/b: no test files in this folder/);
  assert.throws(() => select('packages/b/src/plain.ts'), /there is no packages\/b\/dist\/plain\.test\.js/);
  assert.throws(() => select('packages/a', 'packages/c'), { name: 'TestUsageError' });
});
