import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { installPackages } from './install-packages.mjs';

let root;
let calls;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gptj-install-'));
  calls = [];
  lockPackages({ 'node_modules/pg': {}, 'node_modules/vite': {} });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path, text = '') => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const lockPackages = (packages) => put('package-lock.json', JSON.stringify({ packages }));
const npmPuts = (packages) => async (args) => {
  calls.push(args);
  for (const path of packages) put(`${path}/package.json`, '{}');
  const isAll = args.includes('--include=dev') && !args.some((arg) => arg.startsWith('--workspace'));
  put('node_modules/koffi/package.json', '{}');
  if (args.includes('--include=dev')) put('node_modules/vite/package.json', '{}');
  if (isAll) put('node_modules/@biomejs/biome/package.json', '{}');
  put(
    'node_modules/.package-lock.json',
    JSON.stringify({ packages: Object.fromEntries(packages.map((p) => [p, {}])) }),
  );
};
const npmIsKilled = async () => {
  put('node_modules/vite/package.json', '{}');
  throw new Error('npm install ended with status 1');
};
const isOf = (workspace) => (args) => args.includes(`--workspace=${workspace}`);
const install = (wanted, npm = npmPuts(['node_modules/pg'])) => installPackages({ root, wanted, npm, print: () => {} });

test('a start installs the packages of the server alone, and only once', async () => {
  await install('server');
  await install('server');
  assert.equal(calls.length, 1);
  assert.ok(calls[0].includes('--omit=dev') && calls[0].includes('--workspace=apps/cli'));
});

test('a start after the tests keeps the packages of the tests', async () => {
  await install('all');
  await install('server');
  await install('dashboard');
  assert.equal(calls.length, 1);
  assert.ok(!calls[0].includes('--omit=dev'));
});

test('a changed lockfile is installed with all that was there before', async () => {
  await install('all');
  lockPackages({ 'node_modules/pg': { version: '2.0.0' } });
  await install('server');
  assert.ok(!calls[1].includes('--omit=dev'));
});

test('a folder that another program has filled is completed, not reduced', async () => {
  put('node_modules/vite/package.json', '{}');
  await install('server');
  assert.ok(!calls[0].includes('--omit=dev'));
});

test('the packages that build the dashboard are added to those of the server, without those of tests', async () => {
  await install('server');
  await install('dashboard');
  assert.deepEqual(calls.map(isOf('apps/cli')), [true, false]);
  assert.deepEqual(calls.map(isOf('apps/dashboard')), [false, true]);
  assert.ok(!calls[1].includes('--include-workspace-root'));
});

test('a changed lockfile renews the packages of the server before those of the dashboard', async () => {
  await install('server');
  await install('dashboard');
  lockPackages({ 'node_modules/pg': { version: '2.0.0' } });
  await install('server');
  assert.deepEqual(calls.slice(2).map(isOf('apps/cli')), [true, false]);
});

test('after npm prune a start serves with what is left, and adds what a build needs', async () => {
  await install('all');
  for (const name of ['@biomejs', 'vite']) rmSync(join(root, 'node_modules', name), { recursive: true });
  await install('server');
  assert.equal(calls.length, 1);
  await install('dashboard');
  assert.equal(calls.length, 2);
  assert.ok(isOf('apps/dashboard')(calls[1]));
});

test('after an interruption that added packages, those that may be incomplete are removed', async () => {
  await install('server');
  await assert.rejects(install('dashboard', npmIsKilled), /status 1/);
  put('node_modules/.gptj-cloud-installing.json', '{}');
  await install('server');
  assert.equal(calls.length, 1);
  assert.ok(existsSync(join(root, 'node_modules/pg')));
  assert.ok(!existsSync(join(root, 'node_modules/vite')));
  await install('dashboard');
  assert.equal(calls.length, 2);
});

test('after an interruption of the first installation nothing that it left is used', async () => {
  await assert.rejects(install('server', npmIsKilled), /status 1/);
  put('node_modules/.gptj-cloud-installing.json', '{}');
  await install('server', async () => assert.ok(!existsSync(join(root, 'node_modules/vite'))));
});
