import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ownUrls } from './own-urls.mjs';

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gptj-own-urls-'));
  put('apps/cli/src/main.ts');
  put('packages/a/src/index.ts');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path, text = '') {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

test('finds modules, folders and the data files of a folder, where the compiled code looks for them', () => {
  put(
    'apps/server/src/store/a.ts',
    "new Worker(new URL('./worker.js', import.meta.url)); new URL('../../src/sql/', import.meta.url)",
  );
  put('apps/server/src/plans/b.ts', 'new URL(`../../src/plans/$' + '{name}`, import.meta.url)');
  put('apps/server/src/plans/free.json');
  put('apps/server/src/a.test.ts', "new URL('./of-a-test.json', import.meta.url)");
  assert.deepEqual(ownUrls(root), {
    modules: ['apps/server/src/store/worker.ts'],
    files: ['apps/server/src/plans/free.json', 'apps/server/src/sql'],
  });
});

test('refuses an address that only the running code knows', () => {
  put('apps/server/src/a.ts', 'new URL(name, import.meta.url)');
  assert.throws(
    () => ownUrls(root),
    /apps\/server\/src\/a\.ts: expected a constant path or folder in new URL, got name/,
  );
});
