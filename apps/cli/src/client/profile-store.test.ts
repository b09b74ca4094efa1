import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  configFolder,
  defaultProfileName,
  openProfileStore,
  type Profile,
  type ProfileStore,
} from './profile-store.ts';

const PROFILE: Profile = {
  name: 'work',
  url: 'http://127.0.0.1:8080',
  token: 'secret',
  tokenId: 'token_1',
  user: 'ada@example.com',
  ownsToken: true,
};

async function open(t: TestContext): Promise<{ readonly store: ProfileStore; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-profiles-'));
  t.after(() => rm(folder, { recursive: true }));
  return { store: openProfileStore({ XDG_CONFIG_HOME: folder }), folder };
}

test('reads back the profile that was written, and lists its name', async (t) => {
  const { store } = await open(t);
  assert.deepEqual([await store.names(), await store.read('work'), await store.current()], [[], null, null]);
  await store.write(PROFILE);
  await store.use('work');
  assert.deepEqual(await store.read('work'), PROFILE);
  assert.deepEqual([await store.names(), await store.current()], [['work'], 'work']);
  assert.deepEqual([await store.delete('work'), await store.delete('work')], [true, false]);
  assert.equal(await store.read('work'), null);
});

test('writes files of mode 0600 in folders of mode 0700, whatever the umask, and leaves no other file', async (t) => {
  const { store, folder } = await open(t);
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  await store.write(PROFILE);
  await store.write({ ...PROFILE, token: 'other' });
  const profiles = join(folder, 'gptj', 'profiles');
  assert.deepEqual(await readdir(profiles), ['work.json']);
  assert.equal((await stat(join(profiles, 'work.json'))).mode & 0o777, 0o600);
  assert.equal((await stat(profiles)).mode & 0o777, 0o700);
  assert.equal(await store.isExposed('work'), false);
  await chmod(join(profiles, 'work.json'), 0o644);
  assert.equal(await store.isExposed('work'), true);
});

test('leaves the earlier file when a write fails', async (t) => {
  const { store, folder } = await open(t);
  await store.write(PROFILE);
  const path = join(folder, 'gptj', 'profiles', 'work.json');
  const before = await readFile(path, 'utf8');
  await assert.rejects(store.write({ ...PROFILE, name: '../work' }), /expected up to 64 lower-case letters/);
  assert.equal(await readFile(path, 'utf8'), before);
  assert.deepEqual(await readdir(join(folder, 'gptj')), ['profiles']);
});

test('refuses a damaged file with its path and the remedy', async (t) => {
  const { store, folder } = await open(t);
  await store.write(PROFILE);
  const path = join(folder, 'gptj', 'profiles', 'work.json');
  for (const text of ['{', '[]', '{"url": 1}']) {
    await writeFile(path, text);
    await assert.rejects(store.read('work'), (error: Error) => {
      assert.ok(error.message.includes(path) && error.message.includes('log in again'), error.message);
      return true;
    });
  }
});

test('uses APPDATA on Windows, and ~/.config without XDG_CONFIG_HOME elsewhere', () => {
  assert.equal(configFolder({ APPDATA: 'C:/a', HOME: '/h' }, 'win32'), join('C:/a', 'gptj'));
  assert.equal(configFolder({ HOME: '/h' }, 'linux'), join('/h', '.config', 'gptj'));
});

test('names a profile after the host of its address', () => {
  assert.equal(defaultProfileName('https://GPTJ.example.com/api'), 'gptj.example.com');
  assert.equal(defaultProfileName('http://[::1]:8080'), 'default');
  assert.equal(defaultProfileName('http://127.0.0.1:8080'), '127.0.0.1-8080');
});
