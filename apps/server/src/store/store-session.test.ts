import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { createScratchDatabase, WITHOUT_POSTGRES } from '../testing/test-store.ts';
import { until } from '../testing/until.ts';
import { openPostgres } from './postgres.ts';
import { isOutage } from './store-outage.ts';
import { HINT_CHANNEL, openStoreSession, type StoreSessionTiming } from './store-session.ts';

test('one process of a store is elected, the next when it is gone, and each hears the hints', {
  skip: WITHOUT_POSTGRES,
}, async () => {
  const database = await createScratchDatabase();
  const store = await openPostgres(database.url);
  try {
    const heard: string[] = [];
    const open = (name: string) => {
      const session = store.openSession?.((text) => heard.push(`${name} ${text}`));
      assert.ok(session !== undefined);
      return session;
    };
    const [a, b] = [open('a'), open('b')];
    assert.deepEqual(
      [await a.isElected('leases'), await b.isElected('leases'), await a.isElected('leases')],
      [true, false, true],
    );
    assert.equal(await b.isElected('upkeep'), true);
    await store.db.execute(sql`SELECT pg_notify(${HINT_CHANNEL}, 'p')`);
    await until(() => heard.length === 2);
    assert.deepEqual(heard.sort(), ['a p', 'b p']);

    // As when the database restarts: the session connects again.
    await store.db.execute(
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gptj-cloud session' AND pid <> pg_backend_pid()`,
    );
    await until(async () => (await b.isElected('leases')) || (await a.isElected('leases')));
    await Promise.all([a.close(), b.close()]);
    assert.equal(await a.isElected('leases'), false);
    const c = open('c');
    await until(() => c.isElected('leases'));
    await c.close();
  } finally {
    await store.close();
    await database.drop();
  }
});

/** A message of PostgreSQL's protocol. */
function message(type: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + Buffer.byteLength(body, 'latin1'));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body, 'latin1')]);
}

test('a session that may not listen, as on a standby, leaves no connection open', async (t) => {
  const connections = new Set<Socket>();
  const ready = message('Z', 'I');
  const standby = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', '\0\0\0\0'), ready]));
      socket.on('data', (bytes) => {
        if (bytes[0] !== 'Q'.charCodeAt(0)) return;
        const refusal = 'SERROR\0C25006\0Mcannot execute LISTEN during recovery\0\0';
        socket.write(Buffer.concat([message('E', refusal), ready]));
      });
    });
  });
  standby.listen(0, '127.0.0.1');
  await once(standby, 'listening');
  t.after(() => {
    for (const socket of connections) socket.destroy();
    standby.close();
  });
  const session = openStoreSession(`postgres://u:p@127.0.0.1:${(standby.address() as AddressInfo).port}/d`, () => {});
  await assert.rejects(session.isElected('leases'), /during recovery/);
  await assert.rejects(session.isElected('leases'), /during recovery/);
  await until(() => connections.size === 0);
  await session.close();
});

/** A database with one session, which gives it the locks. It can be lost as a network loses it: nothing arrives any more. */
async function openLosableDatabase() {
  const connections = new Set<Socket>();
  const ready = message('Z', 'I');
  const state = { isLost: false, asked: [] as string[] };
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', '\0\0\0\0'), ready]));
      socket.on('data', (bytes) => {
        if (bytes[0] !== 'Q'.charCodeAt(0)) return;
        state.asked.push(bytes.subarray(5, -1).toString());
        if (state.isLost) return;
        // One column of the type boolean.
        const column = 'answer\0\0\0\0\0\0\0\0\0\0\x10\0\x01\xff\xff\xff\xff\0\0';
        const rows = [message('T', `\0\x01${column}`), message('D', '\0\x01\0\0\0\x01t')];
        socket.write(Buffer.concat([...rows, message('C', 'SELECT 1\0'), ready]));
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    state,
    connections,
    url: `postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/d`,
    close() {
      for (const socket of connections) socket.destroy();
      server.close();
    },
  };
}

/** A clock that the test moves, and the deadlines that it passes. */
function handTiming() {
  let ms = 0;
  const deadlines: AbortController[] = [];
  const timing: StoreSessionTiming = {
    monotonic: () => ms,
    deadline: () => {
      const controller = new AbortController();
      deadlines.push(controller);
      return controller.signal;
    },
  };
  return {
    timing,
    deadlines,
    pass: (by: number) => {
      ms += by;
    },
    endDeadlines: () => {
      for (const controller of deadlines.splice(0)) controller.abort();
    },
  };
}

test('a session that the network has lost stops being elected, and the next round connects again', async (t) => {
  const database = await openLosableDatabase();
  t.after(() => database.close());
  const { timing, pass, endDeadlines } = handTiming();
  const session = openStoreSession(database.url, () => {}, timing);
  assert.deepEqual(await Promise.all([session.isElected('leases'), session.isElected('upkeep')]), [true, true]);
  const { state } = database;
  const before = state.asked.length;

  // A short time after an answer, the session is relied on without a question.
  pass(4_000);
  assert.equal(await session.isElected('leases'), true);
  assert.equal(state.asked.length, before);
  // Both duties wait for one answer.
  pass(2_000);
  assert.deepEqual(await Promise.all([session.isElected('leases'), session.isElected('upkeep')]), [true, true]);
  assert.deepEqual(state.asked.slice(before), ['SELECT 1']);

  state.isLost = true;
  pass(6_000);
  const answers = Promise.allSettled([session.isElected('leases'), session.isElected('upkeep')]);
  await until(() => state.asked.length === before + 2);
  endDeadlines();
  for (const answer of await answers) assert.ok(answer.status === 'rejected' && isOutage(answer.reason));
  await until(() => database.connections.size === 0);

  state.isLost = false;
  assert.equal(await session.isElected('leases'), true);
  assert.equal(database.connections.size, 1);
  await session.close();
});

test('a session whose connection is lost can be opened, asked for a duty and closed without waiting forever', async (t) => {
  const database = await openLosableDatabase();
  t.after(() => database.close());
  const { timing, deadlines, endDeadlines } = handTiming();
  const session = openStoreSession(database.url, () => {}, timing);
  const { state } = database;
  const failsWhenLost = async (): Promise<void> => {
    const asked = state.asked.length;
    const answer = assert.rejects(session.isElected('leases'), isOutage);
    await until(() => state.asked.length > asked);
    endDeadlines();
    await answer;
  };
  // While it connects.
  state.isLost = true;
  await failsWhenLost();
  // While it asks for the lock.
  state.isLost = false;
  assert.equal(await session.isElected('upkeep'), true);
  state.isLost = true;
  await failsWhenLost();
  state.isLost = false;
  assert.equal(await session.isElected('upkeep'), true);
  for (const socket of database.connections) socket.pause();
  deadlines.length = 0;
  const closed = session.close();
  await until(() => deadlines.length === 1);
  endDeadlines();
  await closed;
});
