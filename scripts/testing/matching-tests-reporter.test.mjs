import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'gptj-reporter-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'sample.test.mjs');
writeFileSync(
  file,
  `import { describe, test } from 'node:test';
test('adds two numbers', () => {});
test('subtracts', () => { throw new Error('wrong difference'); });
describe('lists', () => { test('adds an item', () => {}); test('sorts', () => {}); });
describe('sets', () => { test('unites', () => {}); });
`,
);

function run(pattern, path = file) {
  // Node gives its test runner's children this variable; with it the child would report to this process.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const reporter = new URL('./matching-tests-reporter.mjs', import.meta.url).href;
  const args = ['--test', `--test-name-pattern=${pattern}`, `--test-reporter=${reporter}`, path];
  return spawnSync(process.execPath, args, { env, encoding: 'utf8' });
}

test('only the selected tests are shown', () => {
  const { status, stdout } = run('adds');
  assert.equal(status, 0);
  assert.match(stdout, /adds two numbers/);
  assert.match(stdout, /lists\n {2}✔ adds an item/);
  assert.doesNotMatch(stdout, /subtracts|sorts|sets|unites/);
});

test('a failing selected test fails', () => {
  const { status, stdout } = run('subtracts');
  assert.equal(status, 1);
  assert.match(stdout, /wrong difference/);
});

test('a pattern that selects no test fails', () => {
  const { status, stdout } = run('multiplies');
  assert.equal(status, 1);
  assert.match(stdout, /no test has a name that matches/);
});

test('a file that cannot be loaded fails as itself', () => {
  const broken = join(folder, 'broken.test.mjs');
  writeFileSync(broken, `import './missing.mjs';`);
  const { status, stdout } = run('adds', broken);
  assert.equal(status, 1);
  assert.doesNotMatch(stdout, /no test has a name/);
});
