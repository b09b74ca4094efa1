/** Two server processes on one PostgreSQL: the one that executes a run is killed while a client reads through the other. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { ensureApiKey } from '../../identity/api-keys/api-key-store.ts';
import { openPostgres } from '../../store/postgres.ts';
import { createScratchDatabase, WITHOUT_POSTGRES } from '../../testing/test-store.ts';

const TOKEN = 'test-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}` };
const SCRIPT = fileURLToPath(new URL('../../testing/node-process.js', import.meta.url));

async function startNode(databaseUrl: string): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [SCRIPT], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = await once(child.stdout, 'data');
  return { child, url: /listens on (\S+)/.exec(String(text))?.[1] ?? '' };
}

async function submit(url: string): Promise<string> {
  const body = JSON.stringify({
    pipeline_id: GPTJ_PIPELINE_ID,
    data: ['hi', { response_length: 100 }],
    async_run: true,
  });
  const reply = await fetch(`${url}/v2/runs`, { method: 'POST', headers: HEADERS, body });
  return runGetSchema.parse(await reply.json()).id;
}

/** The whole stream of a run; `onText` gets each piece. */
async function read(url: string, id: string, onText: (all: string) => void = () => {}): Promise<string> {
  const reply = await fetch(`${url}/v2/runs/${id}/events`, { headers: HEADERS });
  assert.ok(reply.body !== null);
  let all = '';
  const decoder = new TextDecoder();
  for await (const bytes of reply.body) {
    all += decoder.decode(bytes, { stream: true });
    onText(all);
  }
  return all;
}

const tokensOf = (stream: string): readonly string[] => stream.match(/^data: \{"index".*$/gm) ?? [];
const runEventsOf = (stream: string): number => stream.match(/^event: run$/gm)?.length ?? 0;

test('the stream of a run whose server is killed goes on byte for byte through another server', {
  skip: WITHOUT_POSTGRES,
}, async () => {
  const database = await createScratchDatabase();
  const children: ChildProcess[] = [];
  try {
    const store = await openPostgres(database.url);
    await ensureApiKey(store.db, { environmentToken: TOKEN, now: new Date() });
    await store.close();
    const a = await startNode(database.url);
    children.push(a.child);
    const undisturbed = await read(a.url, await submit(a.url));
    const b = await startNode(database.url);
    children.push(b.child);

    const both = await submit(a.url);
    const [atA, atB] = await Promise.all([read(a.url, both), read(b.url, both)]);
    assert.equal(atB, atA);
    assert.deepEqual(tokensOf(atB), tokensOf(undisturbed));

    let killedAfter = 0;
    let stream = '';
    // A busy machine may deliver a whole run at once: then the next run is tried.
    for (let tries = 0; tries < 20 && killedAfter === 0; tries++) {
      stream = await read(b.url, await submit(a.url), (all) => {
        const count = tokensOf(all).length;
        if (killedAfter > 0 || count < 40 || count >= 100) return;
        killedAfter = count;
        a.child.kill('SIGKILL');
      });
    }
    assert.ok(killedAfter > 0, 'no run was read in pieces');
    assert.equal(tokensOf(stream).length, 100);
    assert.deepEqual(tokensOf(stream), tokensOf(undisturbed));
    assert.equal(runEventsOf(stream), runEventsOf(undisturbed));
    assert.match(stream, /"run_state":"complete"/);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await database.drop();
  }
});
