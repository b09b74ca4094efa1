import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID, runGetSchema, usageGetSchema } from '@gptj-cloud/protocol';
import { type RunningServer, serve } from './main.ts';
import { byteTokenizer, createFakeEngine } from './testing/fake-model.ts';
import { createScratchDatabase, type ScratchDatabase, WITHOUT_POSTGRES } from './testing/test-store.ts';

const skip = WITHOUT_POSTGRES;
const TOKEN = 'test-token-0123456789';

let database: ScratchDatabase;
let open: RunningServer[] = [];
before(async () => {
  if (skip === false) database = await createScratchDatabase();
});
after(async () => {
  if (skip === false) await database.drop();
});

async function start(): Promise<RunningServer> {
  const server = await serve(
    { port: 0, databaseUrl: database.url, apiToken: TOKEN },
    {
      environment: {},
      openModel: async () => ({ engine: createFakeEngine(), tokenizer: byteTokenizer }),
      print: () => {},
      log: () => {},
      // Else the link to set up the owner would be a file in the working folder.
      terminal: { print: true, log: false, colours: false },
    },
  );
  open.push(server);
  return server;
}

async function stopAll(): Promise<void> {
  await Promise.all(open.map((server) => server.close()));
  open = [];
}

const ask = (server: RunningServer, path: string, body?: object): Promise<Response> =>
  fetch(server.url + path, {
    headers: { authorization: `Bearer ${TOKEN}` },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });

test('servers that start together on an empty PostgreSQL share it, and the next start finds their runs', {
  skip,
}, async () => {
  try {
    const [a, b] = await Promise.all([start(), start()]);
    for (const server of [a, b]) assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
    const data = ['four', { response_length: 8 }];
    const runs = await Promise.all(
      Array.from({ length: 20 }, async (_, i) =>
        runGetSchema.parse(
          await (await ask(i % 2 === 0 ? a : b, '/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data })).json(),
        ),
      ),
    );
    assert.ok(runs.every(({ run_state }) => run_state === 'complete'));
    await stopAll();
    const next = await start();
    for (const { id, result } of runs) {
      assert.deepEqual(runGetSchema.parse(await (await ask(next, `/v2/runs/${id}`)).json()).result, result);
    }
    const { total } = usageGetSchema.parse(await (await ask(next, '/v2/usage')).json());
    assert.deepEqual([total.runs, total.prompt_tokens, total.generated_tokens], [20, 80, 160]);
    const backup = await ask(next, '/v2/admin/backup');
    assert.equal(backup.status, 409);
    assert.match(await backup.text(), /pg_dump/);
  } finally {
    await stopAll();
  }
});
