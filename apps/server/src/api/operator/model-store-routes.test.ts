import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pullGetSchema, pullListSchema, storedModelListSchema } from '@gptj-cloud/protocol';
import { openModelStore } from '../../start/open-model-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { openTestApp } from '../../testing/test-app.ts';

/** A hub that has no model, and holds its answer until `answer` is called. */
async function emptyHub(t: TestContext) {
  const asked: string[] = [];
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const server = createServer((request, reply) => {
    asked.push(request.url ?? '');
    void answered.then(() => reply.writeHead(404).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    answer();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, answer };
}

async function openApp(t: TestContext, modelName: string | null = null, servedFiles: readonly string[] = []) {
  const dataDir = await mkdtemp(join(tmpdir(), 'gptj-models-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const hub = await emptyHub(t);
  const clock = (): Date => new Date();
  const modelStore = await openModelStore({
    config: { dataDir, modelName, models: [], draftModel: null, engineSize: {} },
    uses: {
      opened: servedFiles.map((name) => ({ path: join(dataDir, 'models', name), name, isAdded: false })),
    },
    environment: { HF_ENDPOINT: hub.url },
    clock,
    logger: createLogger(() => {}, clock),
  });
  const app = await openTestApp({ modelStore });
  t.after(() => app.close());
  return { ...app, hub, dataDir };
}

test('owners list the models, start a pull, follow it to its end, and see it in the list and the audit log', async (t) => {
  const { request, post, hub } = await openApp(t);
  const { data, disk } = storedModelListSchema.parse(await (await request('/v2/admin/models')).json());
  assert.deepEqual(data, []);
  assert.ok(disk.free_bytes > 0 && disk.total_bytes >= disk.free_bytes);

  const started = await post('/v2/admin/models/pulls', { from: 'gpt-j-6b', type: 'q4_0' });
  assert.equal(started.status, 202);
  const pull = pullGetSchema.parse(await started.json());
  assert.deepEqual([pull.state, pull.phase, pull.from, pull.type], ['running', 'preparing', 'gpt-j-6b', 'q4_0']);
  const second = await post('/v2/admin/models/pulls', { from: 'a/b' });
  assert.equal(second.status, 409);

  const events = await request(`/v2/admin/models/pulls/${pull.id}/events`);
  assert.match(events.headers.get('content-type') ?? '', /text\/event-stream/);
  hub.answer();
  const texts = (await events.text()).split('\n\n').filter((part) => part.startsWith('event: pull'));
  const last = JSON.parse(texts.at(-1)!.split('data: ')[1]!);
  assert.deepEqual([last.state, last.error.code], ['failed', 'not_found']);
  assert.ok(hub.asked[0]?.includes('EleutherAI/gpt-j-6b'));

  const list = pullListSchema.parse(await (await request('/v2/admin/models/pulls')).json());
  assert.deepEqual(
    list.data.map((each) => [each.id, each.state]),
    [[pull.id, 'failed']],
  );
  assert.match(await (await request('/v2/audit-log?action=server.model_pull')).text(), /"from":"gpt-j-6b"/);
});

test('a pull is cancelled, and unknown pulls and models are 404', async (t) => {
  const { request, post } = await openApp(t);
  const { id } = pullGetSchema.parse(await (await post('/v2/admin/models/pulls', { from: 'gpt-j-6b' })).json());
  const cancelled = await post(`/v2/admin/models/pulls/${id}/cancel`, {});
  assert.equal(cancelled.status, 200);
  assert.equal(pullGetSchema.parse(await cancelled.json()).state, 'cancelled');
  assert.equal((await request(`/v2/admin/models/pulls/${id}`)).status, 200);
  for (const [method, path] of [
    ['GET', '/v2/admin/models/pulls/pull_x'],
    ['GET', '/v2/admin/models/pulls/pull_x/events'],
    ['POST', '/v2/admin/models/pulls/pull_x/cancel'],
    ['DELETE', '/v2/admin/models/absent'],
  ] as const) {
    assert.equal((await request(path, { method })).status, 404, path);
  }
});

test('addresses and paths are refused: the server requests nothing of them', async (t) => {
  const { post, hub } = await openApp(t);
  for (const from of ['http://127.0.0.1:1/x.gguf', 'https://huggingface.co/a/b', '/etc/passwd', '../x', '']) {
    const refused = await post('/v2/admin/models/pulls', { from });
    assert.equal(refused.status, 400, from);
  }
  assert.equal((await post('/v2/admin/models/pulls', { from: 'a/b', path: '/x' })).status, 400);
  assert.equal((await post('/v2/admin/models/pulls', { from: 'a/b', type: 'q2' })).status, 400);
  assert.deepEqual(hub.asked, []);
});

test('a model whose file the server has open is not deleted, whatever its settings name by now', async (t) => {
  const { request, dataDir } = await openApp(t, 'two', ['one.q8_0.gguf', 'two.q8_0.gguf']);
  const models = join(dataDir, 'models');
  await mkdir(models, { recursive: true });
  const store = async (name: string, type: string, storedAt: string): Promise<void> => {
    const file = `${name}.${type}.gguf`;
    const source = { kind: 'hub', from: `a/${name}` };
    await writeFile(join(models, file), 'x');
    await writeFile(
      join(models, `${name}.${type}.json`),
      JSON.stringify({ name, type, file, sizeBytes: 1, sha256: '0', source, storedAt }),
    );
  };
  // `one` was named by its path; of `two`, another type was pulled after the start.
  await store('one', 'q8_0', '2026-01-01');
  await store('two', 'q8_0', '2026-01-01');
  await store('two', 'q4_0', '2026-01-02');
  await store('three', 'q8_0', '2026-01-01');
  const { data } = storedModelListSchema.parse(await (await request('/v2/admin/models')).json());
  const served = data.filter((model) => model.is_served).map(({ name, type }) => `${name}.${type}`);
  assert.deepEqual(served, ['one.q8_0', 'two.q4_0', 'two.q8_0']);
  for (const [name, status] of [
    ['one', 409],
    ['two.q8_0', 409],
    ['two', 409],
    ['three', 200],
  ] as const) {
    assert.equal((await request(`/v2/admin/models/${name}`, { method: 'DELETE' })).status, status, name);
  }
});
