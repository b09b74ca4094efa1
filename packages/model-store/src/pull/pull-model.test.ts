import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openCheckpoint } from '@gptj-cloud/checkpoint';
import { SYSTEM_CLOCK } from '../download/clock.ts';
import { findModel, listModels } from '../store/model-store.ts';
import { type LoopbackHubOptions, startLoopbackHub } from '../testing/loopback-hub.ts';
import { randomCheckpoint } from '../testing/random-checkpoint.ts';
import { testLocks } from '../testing/test-locks.ts';
import type { PullEvent } from './pull-events.ts';
import { pullModel } from './pull-model.ts';
import type { PullOptions } from './pull-options.ts';

const GIB = 2 ** 30;

async function world(t: TestContext, hubOptions: Partial<LoopbackHubOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-pull-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const hub = await startLoopbackHub({
    repository: 'EleutherAI/gpt-j-6b',
    files: randomCheckpoint(),
    ...hubOptions,
  });
  t.after(() => hub.close());
  const events: PullEvent[] = [];
  const models = join(folder, 'models');
  const pull = (options: Partial<PullOptions> = {}) =>
    pullModel({
      models,
      from: 'gpt-j-6b',
      name: null,
      type: null,
      endpoint: hub.url,
      token: null,
      hubCache: null,
      offline: false,
      fetch: async (url, init) => await fetch(url, init),
      clock: { ...SYSTEM_CLOCK, sleep: async () => {} },
      tryLock: testLocks(),
      machine: { totalBytes: 16 * GIB, freeBytes: 12 * GIB, isLimited: false },
      checksMemory: true,
      onEvent: (event) => events.push(event),
      signal: new AbortController().signal,
      ...options,
    });
  return { folder, models, hub, events, pull };
}

test('pulls the float16 branch of gpt-j-6b, converts it and leaves the model alone in the store', async (t) => {
  const { models, hub, events, pull } = await world(t);
  const stored = await pull();
  assert.deepEqual(
    [stored.name, stored.type, stored.source],
    ['gpt-j-6b', 'q8_0', { kind: 'hub', from: 'EleutherAI/gpt-j-6b', revision: 'float16', commit: hub.commit }],
  );
  assert.deepEqual((await readdir(models)).sort(), [stored.file, 'gpt-j-6b.q8_0.json'].sort());
  const checkpoint = await openCheckpoint(stored.path);
  t.after(() => checkpoint.close());
  assert.equal(checkpoint.modelName, 'EleutherAI/gpt-j-6b');
  assert.equal((await readFile(stored.path)).byteLength, stored.sizeBytes);
  assert.ok(hub.hubRequests.every((path) => !/flax|tf_model|rust|README/.test(path)));
  assert.equal(events[0]?.type, 'source');
  assert.deepEqual(await findModel(models, 'gpt-j-6b'), stored);
  assert.deepEqual(await listModels(models), [stored]);
});
