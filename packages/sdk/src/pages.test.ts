import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN, stub } from './testing/stub-fetch.ts';

const page = (data: readonly unknown[], next_cursor: string | null, total = 3): Response =>
  new Response(JSON.stringify({ skip: 0, limit: 2, total, data, next_cursor }));
const runs = (...ids: readonly string[]): readonly unknown[] => ids.map((id) => ({ ...RUN, id }));

test('a list is a page when it is awaited, and all items when it is iterated', async () => {
  const { api, sent } = stub(({ url }) =>
    url.includes('cursor=') ? page(runs('run_3'), null) : page(runs('run_1', 'run_2'), '3.1.run_2'),
  );
  const first = await api.listRuns({ limit: 2 });
  assert.deepEqual([first.items.length, first.total, sent.length], [2, 3, 1]);
  const ids: string[] = [];
  for await (const { id } of api.listRuns({ limit: 2, skip: 0, runState: 'complete' })) ids.push(id);
  assert.deepEqual(ids, ['run_1', 'run_2', 'run_3']);
  const query = new URL(sent[2]?.url ?? '').searchParams;
  assert.deepEqual([query.get('cursor'), query.get('limit'), query.get('run_state')], ['3.1.run_2', '2', 'complete']);
});

test('leaving the loop requests no further page, and a refused page rejects the loop', async () => {
  const { api, sent } = stub((_, count) =>
    count < 2 ? page(runs('run_1', 'run_2'), '3.1.run_2') : new Response('{"detail": "no"}', { status: 403 }),
  );
  for await (const _ of api.listRuns()) break;
  assert.equal(sent.length, 1);
  await assert.rejects(
    async () => {
      for await (const _ of api.listRuns());
    },
    { name: 'PermissionDeniedError' },
  );
});

test('a list without cursors continues after its items', async () => {
  const pipeline = (id: string) => ({ id, name: id, tags: [] });
  const { api, sent } = stub((_, count) => {
    const reply = { skip: count * 2, limit: 2, total: 3, data: count === 0 ? ['a', 'b'] : ['c'] };
    return new Response(JSON.stringify({ ...reply, data: reply.data.map(pipeline) }));
  });
  const ids: string[] = [];
  for await (const { id } of api.pipelines.list({ limit: 2 })) ids.push(id);
  assert.deepEqual([ids, sent.length], [['a', 'b', 'c'], 2]);
});
