import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { transpile } from './transpile.mjs';

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gptj-transpile-'));
  put('package.json', '{ "type": "module" }');
  put('lib/tsconfig.json', '{}');
  put('lib/src/double.ts', 'export const double = (n: number): number => n * 2;');
  put('lib/src/double.test.ts', 'export {};');
  put('app/tsconfig.json', '{ "references": [{ "path": "../lib" }] }');
  put('app/src/main.ts', "import { double } from './near.ts';\nconsole.log(double(21));");
  put('app/src/near.ts', "import type { X } from './absent.ts';\nexport { double } from '../../lib/dist/double.js';");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const output = () => spawnSync(process.execPath, [join(root, 'app/dist/main.js')], { encoding: 'utf8' }).stdout;

test('writes a project, with those it refers to, without the tests', async () => {
  await transpile(root, 'app');
  assert.equal(output(), '42\n');
  assert.ok(!existsSync(join(root, 'lib/dist/double.test.js')));
});

test('writes again when a source has changed, and not otherwise', async () => {
  await transpile(root, 'app');
  put('app/dist/near.js', 'export const double = () => 1;');
  await transpile(root, 'app');
  assert.equal(output(), '1\n');
  put('lib/src/double.ts', 'export const double = (n: number): number => n * 3;');
  await transpile(root, 'app');
  assert.equal(output(), '63\n');
});

test('replaces what the compiler has written from other sources, and has the compiler write again', async () => {
  await transpile(root, 'app');
  const own = readFileSync(join(root, 'app/dist/near.js'), 'utf8');
  put('app/dist/near.js', 'export const double = () => 1;');
  put('app/dist/tsconfig.tsbuildinfo', '{}');
  await transpile(root, 'app');
  assert.equal(readFileSync(join(root, 'app/dist/near.js'), 'utf8'), own);
  assert.ok(!existsSync(join(root, 'app/dist/tsconfig.tsbuildinfo')));
});
