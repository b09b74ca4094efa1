import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { type FakeRuns, runJson, startFakeRuns, tokenJson } from '../../testing/fake-runs.ts';
import { type MemoryShelf, memoryShelf } from '../../testing/memory-shelf.ts';
import { takeAlternative } from '../document/branching.ts';
import { pathOf, textOf } from '../document/draft.ts';
import { createPlaygroundStore, type PlaygroundStore } from './playground-store.ts';

let ids = 0;

function storeOn(server: FakeRuns, shelf: MemoryShelf): PlaygroundStore {
  return createPlaygroundStore({
    pipelineId: () => 'gpt-j:latest',
    defaults: { max_new_tokens: 8 },
    api: new PipelineCloud({ token: 'token', url: server.url, maxRetries: 0 }),
    openShelf: async () => shelf,
    openClaims: () => ({ claim: async () => true, close: () => undefined }),
    later: () => () => undefined,
    newId: () => `id-${++ids}`,
    randomSeed: () => 7,
    complete: () => Promise.reject(new Error('not expected')),
    promptData: async (prompt) => prompt.text,
    onEnded: () => undefined,
    onFrame: queueMicrotask,
    nowMs: () => 0,
    pause: () => new Promise(() => undefined),
  });
}

/** Until the store is as the test expects. */
async function until(store: PlaygroundStore, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      const stop = store.subscribe(() => {
        stop();
        resolve();
      });
    });
  }
}

test('a page that is left while tokens arrive shows the end of its run when it is opened again', async () => {
  const server = await startFakeRuns();
  try {
    const shelf = memoryShelf();
    const first = storeOn(server, shelf);
    await first.open();
    first.edit({ start: 0, end: 0, insert: 'Once' });
    first.generate();
    const created = await server.next();
    assert.deepEqual(JSON.parse(created.body).data[1].seed, 7);
    created.event(1, 'run', runJson('run_1', 'running'));
    created.event(2, 'token', tokenJson(5, ' upon'));
    await until(first, () => textOf(first.get().draft) === 'Once upon');
    await first.close();
    const second = storeOn(server, shelf);
    await second.open();
    assert.equal(textOf(second.get().draft), 'Once upon');
    const followed = await server.next();
    assert.equal(followed.path, '/v2/runs/run_1/events');
    followed.event(1, 'run', runJson('run_1', 'running'));
    followed.event(2, 'token', tokenJson(5, ' upon'));
    followed.event(3, 'token', tokenJson(6, ' a'));
    followed.event(4, 'run', runJson('run_1', 'complete', { finish_reasons: ['length'] }));
    await until(second, () => second.get().running.length === 0);
    assert.equal(textOf(second.get().draft), 'Once upon a');
    assert.equal(pathOf(second.get().draft).at(-1)?.run?.finish, 'length');
    second.undo();
    assert.equal(textOf(second.get().draft), 'Once');
    second.redo();
    // A continuation that has been split is one step still.
    second.change((draft) => takeAlternative(draft, draft.here, 1, { id: 9, label: ' the', logprob: -2 }));
    assert.equal(textOf(second.get().draft), 'Once upon the');
    second.undo();
    assert.equal(textOf(second.get().draft), 'Once upon a');
    second.goToParent();
    assert.equal(textOf(second.get().draft), 'Once');
    await second.close();
  } finally {
    await server.close();
  }
});

test('the seed of the last generation can be locked; a text that is refused keeps its draft', async () => {
  const server = await startFakeRuns();
  try {
    const store = storeOn(server, memoryShelf());
    await store.open();
    store.generate();
    assert.equal(store.get().draft.nodes.size, 1);
    store.edit({ start: 0, end: 0, insert: 'Once' });
    store.generate();
    (await server.next()).json(400, { detail: { code: 'invalid_parameter', message: 'temperature: expected more' } });
    await until(store, () => store.get().problem !== null);
    assert.equal(textOf(store.get().draft), 'Once');
    store.toggleSeedLock();
    assert.equal(store.get().draft.parameters.seed, 7);
    store.toggleSeedLock();
    assert.equal(store.get().draft.parameters.seed, undefined);
    await store.close();
  } finally {
    await server.close();
  }
});
