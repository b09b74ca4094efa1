import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { root } from './prepare.mjs';

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gptj-git-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** A clone whose dashboard takes no time to build, and whose package is one file. */
function clone(place) {
  const put = (path, text) => {
    mkdirSync(join(place, path, '..'), { recursive: true });
    writeFileSync(join(place, path), text);
  };
  mkdirSync(join(place, 'scripts'), { recursive: true });
  cpSync(join(root, 'scripts', 'pack-for-git.mjs'), join(place, 'scripts', 'pack-for-git.mjs'));
  put('node_modules/vite/package.json', '{}');
  put('apps/dashboard/build.mjs', 'if (process.env.FAILS) process.exit(1);\n');
  put(
    'scripts/release/server-package.mjs',
    `import { mkdirSync, writeFileSync } from 'node:fs';
     export async function writeServerPackage({ folder }) {
       mkdirSync(folder);
       writeFileSync(folder + '/package.json', '{}');
     }`,
  );
  return place;
}

function prepare(place, env = {}) {
  return spawnSync(process.execPath, [join(place, 'scripts', 'pack-for-git.mjs')], {
    env: { PATH: process.env.PATH, npm_config_cache: join(folder, 'cache'), ...env },
    encoding: 'utf8',
  });
}

test('a clone in the cache of npm is packed, whole or not at all', () => {
  const place = clone(join(folder, 'cache', 'tmp', 'git-clone'));
  assert.equal(prepare(place, { FAILS: 'yes' }).status, 1);
  assert.ok(!existsSync(join(place, 'packed')));
  assert.equal(prepare(place).status, 0);
  assert.ok(existsSync(join(place, 'packed', 'package.json')));
});

test('where npm has not installed what builds the package, the error says how to install', () => {
  const place = clone(join(folder, 'cache', 'tmp', 'git-clone'));
  rmSync(join(place, 'node_modules'), { recursive: true });
  const { status, stderr } = prepare(place);
  assert.equal(status, 1);
  assert.match(stderr, /without -g: `npm install --prefix DIR git\+…`/);
  assert.ok(!existsSync(join(place, 'packed')));
});

test('npm install in any other clone packs nothing', () => {
  mkdirSync(join(folder, 'cache'));
  const place = clone(join(folder, 'mine'));
  assert.equal(prepare(place).status, 0);
  assert.ok(!existsSync(join(place, 'packed')));
});

test('an installation from git has the native packages of the engine', () => {
  const { dependencies, optionalDependencies, files, bin } = json('package.json');
  const engine = json('packages/engine/package.json');
  assert.equal(dependencies.koffi, engine.dependencies.koffi);
  assert.deepEqual(optionalDependencies, engine.optionalDependencies);
  assert.deepEqual(files, ['bin', 'packed']);
  assert.ok(existsSync(join(root, bin.gptj)));
});
