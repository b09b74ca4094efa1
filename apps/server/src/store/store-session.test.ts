import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { createScratchDatabase, WITHOUT_POSTGRES } from '../testing/test-store.ts';
import { until } from '../testing/until.ts';
import { openPostgres } from './postgres.ts';
import { HINT_CHANNEL, openStoreSession } from './store-session.ts';

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
  length.writeUInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
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
