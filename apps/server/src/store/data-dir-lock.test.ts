import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockDataDir } from './data-dir-lock.ts';
import { lockByProcess } from './process-lock.ts';
import { StoreError } from './store-error.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const onLinux = process.platform === 'linux' ? false : 'needs Linux';
const inUse = (error: unknown): boolean => error instanceof StoreError && error.code === 'data_dir_in_use';
const inUseHere = (error: unknown): boolean => inUse(error) && String(error).includes(String(process.pid));

/** A process that locks the folder and prints when it has. `prefix` are words before it. */
async function lockElsewhere(prefix: readonly string[] = []): Promise<ChildProcess> {
  const script = `
    import { lockDataDir } from ${JSON.stringify(new URL('./data-dir-lock.js', import.meta.url).href)};
    await lockDataDir(${JSON.stringify(folder)});
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const [command = process.execPath, ...words] = [...prefix, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

test('a folder in use is refused with the id of the process that uses it, and is free after release', async () => {
  const lock = await lockDataDir(join(folder, 'made', 'here'));
  await assert.rejects(lockDataDir(join(folder, 'made', 'here')), inUseHere);
  await lock.release();
  await lock.release();
  await (await lockDataDir(join(folder, 'made', 'here'))).release();
});

test('at most one of many concurrent starts gets the folder, again and again', async () => {
  for (let round = 0; round < 5; round++) {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(folder)));
    const locks = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.equal(locks.length, 1);
    await Promise.all(locks.map((lock) => lock.release()));
    assert.deepEqual(await readdir(folder), []);
  }
});

test('the folder of a killed process is free, although its file is there', async () => {
  const child = await lockElsewhere();
  await assert.rejects(lockDataDir(folder), inUse);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  assert.match(await readFile(join(folder, 'server.lock'), 'utf8'), new RegExp(`process id ${child.pid} `));
  await (await lockDataDir(folder)).release();
});

test('the folder of a zombie is free', { skip: onLinux }, async () => {
  // The shell kills its child, does not collect it, and lives on as long as its input is open.
  const script = `
    const module = ${JSON.stringify(new URL('./data-dir-lock.js', import.meta.url).href)};
    import(module).then(({ lockDataDir }) => lockDataDir(${JSON.stringify(folder)})).then(() => process.kill(process.pid, 'SIGKILL'));`;
  const parent = spawn('sh', ['-c', `"$0" -e "$1" & echo $!; exec sleep 1000`, process.execPath, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const pid = Number(String((await once(parent.stdout, 'data'))[0]));
    // The main thread may be a zombie while other threads still end: the last of them closes the files.
    while (!/^State:\tZ.*^Threads:\t1$/ms.test(await readFile(`/proc/${pid}/status`, 'utf8'))) {
      await new Promise(setImmediate);
    }
    await (await lockDataDir(folder)).release();
  } finally {
    parent.kill('SIGKILL');
  }
});

const namespaces = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
test('a process in another PID namespace holds the folder', {
  skip: namespaces ? false : 'may not make a PID namespace',
}, async () => {
  const child = await lockElsewhere(['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']);
  try {
    await assert.rejects(lockDataDir(folder), inUse);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

test('a folder that cannot be created or written is refused by name', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(
    lockDataDir(join(folder, 'file')),
    (error) => error instanceof StoreError && error.code === 'data_dir_unusable' && error.message.includes(folder),
  );
});

test('without locks of the kernel, at most one of many concurrent starts gets the folder', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockByProcess(folder)));
  const locks = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  assert.ok(locks.length <= 1, `${locks.length} holders`);
  if (locks.length === 1) await assert.rejects(lockByProcess(folder), inUseHere);
  await Promise.all(locks.map((lock) => lock.release()));
  assert.deepEqual(await readdir(folder), []);
});

test('without locks of the kernel, the lock of a dead process is replaced, even one that is half written', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  await writeFile(join(folder, 'server-0000000000000000.lock'), `{"pid":${dead},"startTime":""}`);
  await writeFile(join(folder, 'server-0000000000000001.lock'), '{"pid":');
  const lock = await lockByProcess(folder);
  assert.equal((await readdir(folder)).length, 1);
  await lock.release();
});

test('without locks of the kernel, a process that reuses the id of a dead one is not the holder', {
  skip: onLinux,
}, async () => {
  await writeFile(join(folder, 'server-0000000000000000.lock'), `{"pid":${process.pid},"startTime":"another boot/1"}`);
  await (await lockByProcess(folder)).release();
});
