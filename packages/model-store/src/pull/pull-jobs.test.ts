import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SYSTEM_CLOCK } from '../download/clock.ts';
import { listModels } from '../store/model-store.ts';
import { type LoopbackHubOptions, startLoopbackHub } from '../testing/loopback-hub.ts';
import { randomCheckpoint } from '../testing/random-checkpoint.ts';
import { testLocks } from '../testing/test-locks.ts';
import { createPullJobs, type PullJob, type PullJobs } from './pull-jobs.ts';

const GIB = 2 ** 30;

async function world(t: TestContext, hubOptions: Partial<LoopbackHubOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-pull-jobs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const hub = await startLoopbackHub({ repository: 'EleutherAI/gpt-j-6b', files: randomCheckpoint(), ...hubOptions });
  t.after(() => hub.close());
  const models = join(folder, 'models');
  const failures: unknown[] = [];
  const jobs = createPullJobs({
    pull: {
      models,
      endpoint: hub.url,
      token: null,
      hubCache: null,
      offline: false,
      fetch: async (url, init) => await fetch(url, init),
      clock: { ...SYSTEM_CLOCK, sleep: async () => {} },
      tryLock: testLocks(),
      checksMemory: true,
    },
    machine: () => ({ totalBytes: 16 * GIB, freeBytes: 12 * GIB, isLimited: false }),
    clock: () => new Date(),
    onFailure: (error) => failures.push(error),
  });
  t.after(() => jobs.close());
  return { jobs, hub, models, failures };
}

const GPTJ = { from: 'gpt-j-6b', name: null, type: null } as const;

async function states(jobs: PullJobs, id: string): Promise<readonly PullJob[]> {
  const watch = jobs.watch(id);
  const seen: PullJob[] = [];
  for (let job = await watch?.next(); job != null; job = await watch?.next()) seen.push(job);
  return seen;
}

test('a pull downloads, converts and stores, and a watcher sees its progress to the end', async (t) => {
  const { jobs, models } = await world(t);
  const { id } = await jobs.start(GPTJ);
  const seen = await states(jobs, id);
  const last = seen.at(-1);
  assert.deepEqual([last?.state, last?.model?.name, last?.plan?.type], ['stored', 'gpt-j-6b', 'q8_0']);
  assert.deepEqual(await listModels(models), [last?.model]);
  assert.ok(seen.some(({ phase }) => phase === 'downloading') && seen.some(({ phase }) => phase === 'converting'));
  for (const phase of ['downloading', 'converting']) {
    const done = seen.filter((job) => job.phase === phase).map(({ doneBytes }) => doneBytes);
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
    );
  }
  // A watcher that comes late gets the end alone.
  assert.deepEqual(await states(jobs, id), [last]);
});

test('a watcher that reads slowly misses states between, never the last one', async (t) => {
  const { jobs } = await world(t);
  const { id } = await jobs.start(GPTJ);
  const slow = jobs.watch(id);
  assert.equal((await slow?.next())?.state, 'running');
  await states(jobs, id);
  assert.equal((await slow?.next())?.state, 'stored');
  assert.equal(await slow?.next(), null);
});

test('one pull runs at a time; a cancelled one ends, keeps its download, and can be started again', async (t) => {
  const { jobs, hub, models } = await world(t, { paceMs: 20 });
  const { id } = await jobs.start(GPTJ);
  await assert.rejects(jobs.start({ ...GPTJ, name: 'other' }), { code: 'in_use', message: /gpt-j-6b is being pulled/ });
  const watch = jobs.watch(id);
  while ((await watch?.next())?.phase !== 'downloading');
  assert.equal((await jobs.cancel(id))?.state, 'cancelled');
  assert.deepEqual((await jobs.cancel(id))?.state, 'cancelled');
  assert.ok((await readdir(join(models, '.pulls'))).length > 0);
  const again = await jobs.start(GPTJ);
  assert.equal((await states(jobs, again.id)).at(-1)?.state, 'stored');
  assert.deepEqual(
    jobs.list().map(({ state }) => state),
    ['stored', 'cancelled'],
  );
  assert.ok(hub.served.length > 0);
});

test('nothing is requested before a pull is accepted, and there is none where that fails', async (t) => {
  const { jobs, hub } = await world(t);
  const refused = jobs.start(GPTJ, async () => {
    await assert.rejects(jobs.start(GPTJ), { code: 'in_use' });
    throw new Error('the store is gone');
  });
  await assert.rejects(refused, /the store is gone/);
  assert.deepEqual([hub.hubRequests.length, jobs.list().length], [0, 0]);
  const { id } = await jobs.start(GPTJ, async () => assert.equal(hub.hubRequests.length, 0));
  assert.equal((await states(jobs, id)).at(-1)?.state, 'stored');
});

test('addresses, paths and bad names are refused before anything is requested', async (t) => {
  const { jobs, hub } = await world(t);
  for (const from of [
    'http://127.0.0.1:1/model.gguf',
    'http://169.254.169.254/latest/meta-data',
    'https://huggingface.co/a/b',
    'file:///etc/passwd',
    '/etc/passwd',
    './model.gguf',
    'a/b@../../x',
    'owner/name/extra',
  ]) {
    await assert.rejects(jobs.start({ ...GPTJ, from }), { code: 'address_invalid' }, from);
  }
  await assert.rejects(jobs.start({ ...GPTJ, name: '../x' }), { code: 'address_invalid' });
  assert.deepEqual([hub.hubRequests.length, jobs.list().length], [0, 0]);
});

test('a pull that fails has the reason, and the name of the embedded model cannot be taken', async (t) => {
  const { jobs, failures } = await world(t);
  const missing = await jobs.start({ ...GPTJ, from: 'absent/model' });
  const last = (await states(jobs, missing.id)).at(-1);
  assert.deepEqual([last?.state, last?.error?.code], ['failed', 'not_found']);
  const reserved = await jobs.start({ ...GPTJ, name: 'embedded' });
  const refused = (await states(jobs, reserved.id)).at(-1);
  assert.deepEqual([refused?.state, refused?.error?.code], ['failed', 'name_taken']);
  assert.deepEqual(failures, []);
});

test('close ends the running pull and its watchers', async (t) => {
  const { jobs } = await world(t, { paceMs: 20 });
  const { id } = await jobs.start(GPTJ);
  const watching = states(jobs, id);
  await jobs.close();
  assert.equal((await watching).at(-1)?.state, 'cancelled');
  await assert.rejects(jobs.start(GPTJ), { code: 'in_use' });
});
