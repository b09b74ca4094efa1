import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkUnusedExports } from './unused-exports.mjs';

/** Findings for a project of two private rooms, `a` and `b`, and a published one, `packages/sdk`. */
function check(sources) {
  const rooms = ['packages/a', 'packages/b', 'packages/sdk'].map((room) => ({
    path: `${room}/package.json`,
    text: JSON.stringify({ name: `@gptj-cloud/${room.slice('packages/'.length)}` }),
  }));
  return checkUnusedExports([...rooms, ...Object.entries(sources).map(([path, text]) => ({ path, text }))]);
}

test('an export that no file imports is reported with its place', () => {
  assert.deepEqual(check({ 'packages/a/src/x.ts': 'export const one = 1;\nexport function two() { return one; }\n' }), [
    'packages/a/src/x.ts:1: no other file uses one; drop its export',
    'packages/a/src/x.ts:2: no other file uses two; delete it',
  ]);
});

test('an export that another file imports passes', () => {
  assert.deepEqual(
    check({
      'packages/a/src/x.ts': 'export const one = 1;\n',
      'packages/a/src/y.ts': "import { one } from './x.ts';\n",
    }),
    [],
  );
});

test('an export that only tests import is reported, unless its own file uses it or is a test helper', () => {
  const used = "import { one } from './x.ts';\n";
  assert.match(
    check({ 'packages/a/src/x.ts': 'export const one = 1;\n', 'packages/a/src/x.test.ts': used })[0],
    /only tests use one; delete it/,
  );
  const text = 'export const one = 1;\nconsole.log(one);\n';
  assert.deepEqual(check({ 'packages/a/src/x.ts': text, 'packages/a/src/x.test.ts': used }), []);
  assert.deepEqual(
    check({
      'packages/a/src/testing/x.ts': 'export const one = 1;\n',
      'packages/a/src/x.test.ts': "import { one } from './testing/x.ts';\n",
    }),
    [],
  );
});

test('a type that a signature of its own file names passes, one that nothing names is reported', () => {
  const user = { 'packages/a/src/y.ts': "import { run } from './x.ts';\n" };
  const run = 'export function run(options: Options): void {}\n';
  assert.deepEqual(check({ ...user, 'packages/a/src/x.ts': `export interface Options {}\n${run}` }), []);
  assert.match(
    check({ ...user, 'packages/a/src/x.ts': `export type Spare = 1;\nexport interface Options {}\n${run}` })[0],
    /x\.ts:1: no other file uses Spare; delete it/,
  );
});

test('a name in the door of a private room needs an import from another room', () => {
  const room = {
    'packages/a/src/index.ts': "export { one, two } from './x.ts';\n",
    'packages/a/src/x.ts': 'export const one = 1;\nexport const two = 2;\n',
    'packages/a/src/y.ts': "import { one, two } from './x.ts';\n",
  };
  const findings = check({ ...room, 'packages/b/src/z.ts': "import { one } from '@gptj-cloud/a';\n" });
  assert.deepEqual(findings, ['packages/a/src/index.ts:1: no other room imports two; delete it']);
});

test('the door of a published package needs no import', () => {
  assert.deepEqual(
    check({
      'packages/sdk/src/index.ts': "export { one } from './x.ts';\n",
      'packages/sdk/src/x.ts': 'export const one = 1;\n',
    }),
    [],
  );
});

test('a script uses the names that it imports from compiled files', () => {
  const sources = {
    'packages/a/src/x.ts': 'export const one = 1;\n',
    'scripts/run.mjs': "await import(join(root, 'packages/a/dist/x.js'));\n",
  };
  assert.deepEqual(check(sources), []);
  const some = "import { one } from '../packages/a/dist/x.js';\n";
  const text = 'export const one = 1;\nexport const two = 2;\n';
  assert.deepEqual(check({ 'packages/a/src/x.ts': text, 'scripts/run.mjs': some }), [
    'packages/a/src/x.ts:2: no other file uses two; delete it',
  ]);
});
