import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { ApiError, apiErrorOf } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { measureWork } from '../telemetry/work-meter.ts';
import { createGuardedPool } from './guarded-pool.ts';
import { asOutage, isOutage } from './store-outage.ts';

/** A server that speaks as much of PostgreSQL's protocol as these tests need. */
let server: Server;
let sockets: Socket[];
/** What to do with the statement instead of answering it. */
let onStatement: (text: string, socket: Socket) => 'answer' | 'silent';
let pool: pg.Pool;
let outages: unknown[];
let answers: number;

beforeEach(async () => {
  sockets = [];
  outages = [];
  answers = 0;
  onStatement = () => 'answer';
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]));
      socket.on('data', (bytes) => {
        for (const text of statements(bytes)) {
          if (onStatement(text, socket) === 'silent') return;
          socket.write(Buffer.concat([message('C', Buffer.from('OK\0')), message('Z', Buffer.from('I'))]));
        }
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  pool = createGuardedPool({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    user: 'u',
    database: 'd',
    max: 1,
    connectionTimeoutMillis: 5_000,
    onOutage: (error) => outages.push(error),
    onAnswer: () => answers++,
  });
});
afterEach(async () => {
  await pool.end();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const hasCode = (code: string) => (error: unknown) => apiErrorOf(error)?.code === code;

test('a connection that breaks between two queries of a transaction fails that transaction alone', async () => {
  const db = drizzle(pool);
  const broken = db.transaction(async (tx) => {
    await tx.execute(sql`SELECT 1`);
    const closed = once(sockets[0]!, 'close');
    sockets[0]!.destroy();
    await closed;
    await tx.execute(sql`SELECT 2`);
  });
  await assert.rejects(broken, hasCode('store_unavailable'));
  assert.ok(outages.length > 0);
  await db.execute(sql`SELECT 3`);
  assert.equal(sockets.length, 2);
});

test('a connection that breaks as its transaction begins is replaced, also in a pool of one', async () => {
  const db = drizzle(pool);
  onStatement = (text, socket) => {
    if (!text.startsWith('begin') || sockets.length > 1) return 'answer';
    socket.destroy();
    return 'silent';
  };
  await assert.rejects(
    db.transaction(async () => 1),
    hasCode('store_unavailable'),
  );
  assert.equal(await db.transaction(async () => 2), 2);
});

test('an idle connection that breaks is replaced', async () => {
  const db = drizzle(pool);
  await db.execute(sql`SELECT 1`);
  const removed = once(pool, 'remove');
  sockets[0]!.destroy();
  await removed;
  await db.execute(sql`SELECT 2`);
  assert.equal(outages.length > 0, true);
});

test('a connection that breaks during a query outside of transactions fails that query', async () => {
  onStatement = (_, socket) => {
    if (sockets.length > 1) return 'answer';
    socket.destroy();
    return 'silent';
  };
  await assert.rejects(drizzle(pool).execute(sql`SELECT 1`), hasCode('store_unavailable'));
  await drizzle(pool).execute(sql`SELECT 2`);
});

test('a database that is gone is an outage', async () => {
  server.close();
  await assert.rejects(drizzle(pool).execute(sql`SELECT 1`), hasCode('store_unavailable'));
  assert.equal(answers, 0);
});

test('an answer that does not come in time is an outage, and its connection is not used again', async () => {
  pool.options.query_timeout = 50;
  onStatement = () => (sockets.length === 1 ? 'silent' : 'answer');
  await assert.rejects(drizzle(pool).execute(sql`SELECT 1`), hasCode('store_unavailable'));
  await drizzle(pool).execute(sql`SELECT 2`);
  assert.equal(sockets.length, 2);
});

test('a query waits for one query of another client, not for all of them', async () => {
  const seen: string[] = [];
  onStatement = (text) => {
    seen.push(text);
    return 'answer';
  };
  const db = drizzle(pool);
  const ask = (payer: string, text: string): Promise<unknown> =>
    measureWork({ payer, share: 1, add: () => {} }, async () => await db.execute(sql.raw(text)));
  const all = [...Array.from({ length: 20 }, (_, at) => ask('busy', `BUSY ${at}`)), ask('other', 'OTHER')];
  await Promise.all(all);
  assert.equal(seen.length, 21);
  assert.ok(seen.indexOf('OTHER') <= 2, seen.slice(0, 4).join(', '));
});

test('outages have a code and a reason; errors of the statement stay as they are', () => {
  const failed = (code: string): Error => Object.assign(new Error('failed'), { code });
  for (const code of ['57P01', '57P03', '53300', '08006', '57014', '25P03', '40001', 'ECONNRESET', 'EPIPE']) {
    const outage = asOutage(failed(code));
    assert.ok(outage instanceof ApiError, code);
    assert.deepEqual([outage.code, outage.status], ['store_unavailable', 503]);
    assert.ok(isOutage(new Error('query failed', { cause: outage })));
  }
  for (const code of ['53100', 'ENOSPC']) {
    const outage = asOutage(failed(code));
    assert.ok(outage instanceof ApiError && outage.code === 'store_full' && outage.status === 507, code);
  }
  for (const code of ['23505', '22021', '42601', 'XX000']) {
    const error = failed(code);
    assert.equal(asOutage(error), error, code);
    assert.ok(!isOutage(error));
  }
});

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** The statements that a packet of simple queries, or of one extended query, holds. */
function statements(bytes: Buffer): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    const type = String.fromCharCode(bytes[at]!);
    const body = bytes.subarray(at + 5, at + 1 + bytes.readInt32BE(at + 1)).toString();
    if (type === 'Q') found.push(body);
    if (type === 'P') found.push(body.slice(body.indexOf('\0') + 1));
  }
  return found;
}
