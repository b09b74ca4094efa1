/** The stream of a run is read through any server on the store, whichever executes it. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { DEFAULT_PROJECT_ID } from '../../identity/users/first-user.ts';
import { createScriptedEngine } from '../../testing/scripted-engine.ts';
import { type ServedComposition, serveComposition } from '../../testing/serve-composition.ts';
import { shareServers } from '../../testing/shared-servers.ts';
import { until } from '../../testing/until.ts';
import { runs } from '../run-tables.ts';
import { eventsSubject } from './node-signature.ts';
import { eventsPath } from './remote-events.ts';

const TOKEN = 'test-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}` };
const TEXT = [...'abcdefgh'].map((letter) => letter.charCodeAt(0));

const servers = shareServers(TOKEN);
afterEach(async () => {
  await servers.store.db.delete(runs);
});

const TIMING = { leaseMs: 600_000, heartbeatMs: 5, pollMs: 5 };

/** A server whose engine generates `TEXT` and stops before the token `pauseAt` until `release` is called. */
async function join(
  pauseAt = TEXT.length,
  timing = TIMING,
): Promise<ServedComposition & { readonly release: () => void }> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const engine = createScriptedEngine(() => ({
    sequences: [TEXT],
    pause: (at) => (at === pauseAt ? released : null),
  }));
  const server = await serveComposition({ store: servers.store, engine, timing });
  servers.add(server);
  return { ...server, release };
}

async function submit({ url }: ServedComposition, fields: object = { async_run: true }): Promise<string> {
  const body = JSON.stringify({
    pipeline_id: GPTJ_PIPELINE_ID,
    data: ['hi', { response_length: TEXT.length }],
    ...fields,
  });
  const reply = await fetch(`${url}/v2/runs`, { method: 'POST', headers: HEADERS, body });
  return runGetSchema.parse(await reply.json()).id;
}

async function follow({ url }: ServedComposition, id: string, after?: string): Promise<Response> {
  const headers = after === undefined ? HEADERS : { ...HEADERS, 'last-event-id': after };
  return await fetch(`${url}/v2/runs/${id}/events`, { headers });
}

/** Reads a body until it has the text. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes(wanted)) {
    const { value, done } = await reader.read();
    assert.equal(done, false, text);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

const dataOf = (stream: string): readonly string[] => stream.split('\n').filter((line) => line.startsWith('data:'));
const textOf = (stream: string): string =>
  dataOf(stream)
    .map((line): { readonly text?: string } => JSON.parse(line.slice(5)))
    .map(({ text = '' }) => text)
    .join('');

test('the stream through another server has the bytes of the stream at the one that executes the run', async () => {
  const a = await join(3);
  const id = await submit(a);
  const b = await join();
  const [here, there] = [await follow(a, id), await follow(b, id)];
  a.release();
  const [atA, atB] = [await here.text(), await there.text()];
  assert.equal(textOf(atA), 'abcdefgh');
  assert.equal(atB, atA);
});

test('a server that was held up while another one executed its run ends no stream before the other tokens', async () => {
  // It learns by itself of nothing.
  const a = await join(3, { leaseMs: 600_000, heartbeatMs: 600_000, pollMs: 600_000 });
  const id = await submit(a);
  const reader = await join(0);
  const there = (await follow(reader, id)).body?.getReader() ?? assert.fail();
  const before = await readUntil(there, '"c"');
  await servers.store.db.update(runs).set({ leaseOwner: null, leaseExpiresAt: null }).where(eq(runs.id, id));
  reader.release();
  await until(async () => (await servers.store.db.select().from(runs).where(eq(runs.id, id)))[0]?.endedAt !== null);
  assert.ok(a.composition.runs.worker.abort(id, 'lease_lost'));
  const rest = await readUntil(there, '"run_state":"complete"');
  assert.equal(textOf(before + rest), 'abcdefgh');
});

test('the stream of a run that has ended is read through another server, from any event on', async () => {
  const a = await join();
  const id = await submit(a);
  const b = await join();
  const whole = await (await follow(a, id)).text();
  assert.equal(await (await follow(b, id)).text(), whole);
  const blocks = whole.split('\n\n');
  const third = /^id: (.*)$/m.exec(blocks[2] ?? '')?.[1] ?? '';
  assert.equal(await (await follow(b, id, third)).text(), blocks.slice(3).join('\n\n'));
});

test('a client that streams a run gets its tokens when another server executes it', async () => {
  const a = await join(3);
  const held = await submit(a);
  const b = await join();
  const body = { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: TEXT.length }], stream: true };
  const reply = await fetch(`${a.url}/v2/runs`, { method: 'POST', headers: HEADERS, body: JSON.stringify(body) });
  const stream = await reply.text();
  assert.equal(textOf(stream), 'abcdefgh');
  const { executedBy } = await placeOf(runIdOf(stream));
  assert.equal(executedBy, b.composition.runs.node.id);
  a.release();
  await (await follow(a, held)).text();
});

const runIdOf = (stream: string): string => /"id":"(run_[0-9a-f]{32})"/.exec(stream)?.[1] ?? '';

async function placeOf(id: string) {
  const { executedBy, followers, state } = runs;
  const [row] = await servers.store.db.select({ executedBy, followers, state }).from(runs).where(eq(runs.id, id));
  assert.ok(row !== undefined);
  return row;
}

test('a run that changes its server in the middle continues for the reader as if it had not', async () => {
  const a = await join(3);
  const id = await submit(a);
  const b = await join();
  const c = await join();
  const reader = (await follow(c, id)).body?.getReader();
  assert.ok(reader !== undefined);
  const before = await readUntil(reader, '"text":"c"');
  // As when the lease of a stopped process ends. It claims none again, as it would when it sees the loss before the others poll.
  a.composition.runs.worker.close();
  const free = { leaseOwner: null, leaseExpiresAt: null, executedBy: null, state: 'received' };
  await servers.store.db.update(runs).set(free).where(eq(runs.id, id));
  const stream = before + (await readUntil(reader, '"run_state":"complete"'));
  assert.equal(textOf(stream), 'abcdefgh');
  assert.equal(stream.match(/^event: run$/gm)?.length, 2);
  const { executedBy } = await placeOf(id);
  assert.notEqual(executedBy, a.composition.runs.node.id);
  assert.ok([b, c].some(({ composition }) => composition.runs.node.id === executedBy));
});

test('a run goes on for its reader at another server when its client leaves, and ends when no one reads it', async () => {
  for (const isRead of [true, false]) {
    const a = await join(3);
    const gone = new AbortController();
    const body = { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: TEXT.length }], stream: true };
    const request = { method: 'POST', headers: HEADERS, body: JSON.stringify(body), signal: gone.signal };
    const client = (await fetch(`${a.url}/v2/runs`, request)).body?.getReader();
    assert.ok(client !== undefined);
    const id = runIdOf(await readUntil(client, '"text":"c"'));
    const b = await join();
    const there = await follow(b, id);
    if (!isRead) {
      await there.body?.cancel();
      await until(async () => (await placeOf(id)).followers === 0);
    }
    gone.abort();
    if (isRead) {
      await until(() => a.logLines.some((line) => line.includes('"method":"POST"')));
      // The store has answered whether the run is read elsewhere before it answers all of these.
      for (let count = 0; count < 20; count++) await placeOf(id);
      a.release();
      assert.equal(textOf(await there.text()), 'abcdefgh');
    } else {
      await until(async () => (await placeOf(id)).state === 'failed');
      a.release();
    }
    await servers.closeAll();
  }
});

test('a client that waits for a run without a stream gets its end through another server', async () => {
  const a = await join(3);
  const sent = submit(a, {});
  let id = '';
  await until(async () => {
    id = (await servers.store.db.select({ id: runs.id }).from(runs).where(eq(runs.state, 'running')))[0]?.id ?? '';
    return id !== '';
  });
  const b = await join();
  const there = await follow(b, id);
  a.release();
  assert.equal(dataOf(await there.text()).length, 1);
  assert.equal(await sent, id);
});

/** Two servers, and a run that one of them has executed. */
async function joinTwo() {
  const [a, b] = [await join(), await join()];
  const id = await submit(a);
  await (await follow(a, id)).text();
  const { executedBy } = await placeOf(id);
  const isOfA = executedBy === a.composition.runs.node.id;
  return { id, executedBy, owner: isOfA ? a : b, other: isOfA ? b : a };
}

test('events are given to no one but nodes of the store, and only for the project of the run', async () => {
  const { id, executedBy, owner, other } = await joinTwo();
  const ask = async (projectId: string, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
    const path = eventsPath({ runId: id, projectId });
    const reply = await fetch(owner.url + path, { headers });
    await reply.body?.cancel();
    return reply.status;
  };
  const sign = (projectId: string, node = executedBy ?? '') =>
    other.composition.runs.node.sign({ node, subject: eventsSubject({ projectId, runId: id }) })?.headers;
  assert.equal(await ask(DEFAULT_PROJECT_ID, sign(DEFAULT_PROJECT_ID)), 200);
  assert.equal(await ask(DEFAULT_PROJECT_ID, undefined), 401);
  assert.equal(await ask(DEFAULT_PROJECT_ID, { authorization: `Bearer ${TOKEN}` }), 401);
  assert.equal(await ask(DEFAULT_PROJECT_ID, sign(DEFAULT_PROJECT_ID, other.composition.runs.node.id)), 401);
  const foreign = `project_${'1'.repeat(32)}`;
  assert.equal(await ask(foreign, sign(DEFAULT_PROJECT_ID)), 401);
  assert.equal(await ask(foreign, sign(foreign)), 404);
  // A copy of a request, and one without its time.
  const copied = sign(DEFAULT_PROJECT_ID);
  assert.equal(await ask(DEFAULT_PROJECT_ID, copied), 200);
  assert.equal(await ask(DEFAULT_PROJECT_ID, copied), 401);
  const untimed = { authorization: sign(DEFAULT_PROJECT_ID)?.authorization ?? '' };
  assert.equal(await ask(DEFAULT_PROJECT_ID, untimed), 401);
});

test('requests without a time are accepted from the first report of a server of the release before on, while it is alive', async () => {
  const { id, executedBy, owner, other } = await joinTwo();
  const run = { runId: id, projectId: DEFAULT_PROJECT_ID };
  const ask = async (): Promise<number> => {
    const headers = other.composition.runs.node.sign({ node: executedBy ?? '', subject: eventsSubject(run) })?.headers;
    const reply = await fetch(owner.url + eventsPath(run), {
      headers: { authorization: headers?.authorization ?? '' },
    });
    await reply.body?.cancel();
    return reply.status;
  };
  assert.equal(await ask(), 401);
  // Its release knows nothing of the column.
  await servers.store.db.execute(`INSERT INTO nodes (id, beat_at) VALUES ('older', now() + interval '1 hour')`);
  assert.equal(await ask(), 200);
  await servers.store.db.execute(`UPDATE nodes SET beat_at = now() - interval '31 seconds' WHERE id = 'older'`);
  await until(async () => (await ask()) === 401);
});

test('a server whose node cannot be reached waits for the end, and names the setting in the log', async () => {
  const a = await join(3);
  const id = await submit(a);
  const b = await join();
  await servers.store.db.execute(
    `UPDATE nodes SET url = 'http://127.0.0.1:9' WHERE id = '${a.composition.runs.node.id}'`,
  );
  const there = await follow(b, id);
  await until(() => b.logLines.some((line) => line.includes('NODE_URL')));
  a.release();
  assert.equal(dataOf(await there.text()).length, 1);
});
