import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { apiErrorOf } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { fillDataDir } from '../../testing/test-store.ts';
import { until } from '../../testing/until.ts';
import { openStore, type Store } from '../db.ts';
import { EmbeddedThread } from './embedded-thread.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gptj-thread-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const hasCode = (code: string) => (error: unknown) => apiErrorOf(error)?.code === code;
const insert = (store: Store, x: number) => store.db.execute(sql`INSERT INTO kept VALUES (${x})`);
const rows = async (store: Store): Promise<unknown> => {
  const result: unknown = await store.db.execute(sql`SELECT x FROM kept ORDER BY x`);
  return Reflect.get(Object(result), 'rows');
};
const succeeds = async (work: () => Promise<unknown>): Promise<boolean> =>
  await work().then(
    () => true,
    () => false,
  );

test('a statement that takes too long fails, and the store opens again with all that it had stored', async () => {
  await fillDataDir(dataDir);
  const lines: string[] = [];
  const line = (message: string): void => void lines.push(message);
  const store = await openStore(join(dataDir, 'postgres'), {
    statementTimeoutMs: 2_000,
    logger: { info: line, warn: line, error: line },
  });
  try {
    await store.db.execute(sql`CREATE TABLE kept (x integer)`);
    await insert(store, 1);
    const endless = store.db.execute(sql`SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) s`);
    const waiting = insert(store, 2);
    await assert.rejects(endless, hasCode('store_unavailable'));
    await assert.rejects(waiting, hasCode('store_unavailable'));
    await until(() => succeeds(() => insert(store, 3)));
    assert.deepEqual(await rows(store), [{ x: 1 }, { x: 3 }]);
    assert.ok(lines.includes('the embedded store ended; opening it again'));
    assert.ok(lines.includes('the embedded store is open again'));
  } finally {
    await store.close();
  }
});

test('the log is never long after a checkpoint: what a checkpoint has to write keeps all others waiting', async () => {
  await fillDataDir(dataDir);
  const store = await openStore(join(dataDir, 'postgres'));
  try {
    await store.db.execute(sql`CREATE TABLE kept (x bytea STORAGE EXTERNAL)`);
    let longest = 0;
    for (let at = 0; at < 24; at++) {
      await store.db.execute(sql`INSERT INTO kept VALUES (decode(repeat('00', ${2 ** 20}), 'hex'))`);
      const result: unknown = await store.db.execute(
        sql`SELECT pg_current_wal_insert_lsn() - redo_lsn AS bytes FROM pg_control_checkpoint()`,
      );
      const [row] = Reflect.get(Object(result), 'rows') as readonly { readonly bytes: unknown }[];
      longest = Math.max(longest, Number(row?.bytes));
    }
    assert.ok(longest > 8 * 2 ** 20 && longest < 20 * 2 ** 20, `${longest} bytes`);
  } finally {
    await store.close();
  }
});

test('a store closes while a statement runs that does not end', async () => {
  await fillDataDir(dataDir);
  const store = await openStore(join(dataDir, 'postgres'), { statementTimeoutMs: 500 });
  const endless = store.db.execute(sql`SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) s`);
  const failed = assert.rejects(endless, hasCode('store_unavailable'));
  await store.close();
  await failed;
});

test('a store that ends while it is closed is not opened again, and reports so', async () => {
  await fillDataDir(dataDir);
  const deaths: unknown[] = [];
  const thread = await EmbeddedThread.open({
    folder: join(dataDir, 'postgres'),
    tar: null,
    keepsReserve: false,
    packetTimeoutMs: 300,
    onDiskChange() {},
    onDeath: (reason, opensAgain) => deaths.push([reason, opensAgain]),
    onReopen: () => deaths.push('open again'),
  });
  await thread.connect();
  const text = 'SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) s\0';
  const query = new Uint8Array(5 + text.length);
  query[0] = 'Q'.charCodeAt(0);
  new DataView(query.buffer).setUint32(1, 4 + text.length);
  query.set(new TextEncoder().encode(text), 5);
  const failed = assert.rejects(thread.ask(query), /no answer within 300 ms/);
  await thread.close(60_000);
  await failed;
  assert.deepEqual(deaths, [['no answer within 300 ms', false]]);
});

/** A file system of this size, until `use` has ended. */
async function withSmallDisk(sizeMb: number, use: () => Promise<void>): Promise<void> {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', dataDir]);
  assert.equal(mounted.status, 0, String(mounted.stderr));
  try {
    await use();
  } finally {
    spawnSync('umount', ['-l', dataDir]);
  }
}

function fillDisk(path: string): void {
  const file = openSync(path, 'a');
  for (const size of [2 ** 20, 4096]) {
    try {
      for (;;) writeSync(file, new Uint8Array(size));
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC');
    }
  }
  closeSync(file);
}

const mayMount = process.getuid?.() === 0 && process.platform === 'linux' ? false : 'needs root and Linux';

test('a full disk refuses writes and serves reads, until there is room', { skip: mayMount }, async () => {
  await withSmallDisk(200, async () => {
    await fillDataDir(dataDir);
    const store = await openStore(join(dataDir, 'postgres'));
    try {
      await store.db.execute(sql`CREATE TABLE kept (x integer)`);
      await insert(store, 1);
      const filler = join(dataDir, 'filler');
      fillDisk(filler);
      await until(async () => !(await succeeds(() => insert(store, 2))));
      await assert.rejects(insert(store, 3), hasCode('store_full'));
      await assert.rejects(store.checkDisk(), hasCode('store_full'));
      await rows(store);
      await rm(filler);
      await until(() => succeeds(() => insert(store, 4)));
      await store.checkDisk();
    } finally {
      await store.close();
    }
  });
});

test('a log that finds no room for its next segment ends neither the store nor the wait of requests', {
  skip: mayMount,
}, async () => {
  await withSmallDisk(146, async () => {
    await fillDataDir(dataDir);
    const filler = join(dataDir, 'filler');
    await writeFile(filler, new Uint8Array(10 * 2 ** 20));
    const store = await openStore(join(dataDir, 'postgres'), { keepsReserve: true });
    try {
      await store.db.execute(sql`CREATE TABLE kept (x integer)`);
      await insert(store, 1);
      // A few bytes of statement, more log than the disk holds.
      const huge = store.db.execute(
        sql`CREATE TABLE huge AS SELECT sha512(i::text::bytea) || sha512((-i)::text::bytea) AS x FROM generate_series(1, 1000000) i`,
      );
      await assert.rejects(huge, (error) => hasCode('store_full')(error) || hasCode('store_unavailable')(error));
      await until(() => succeeds(() => rows(store)));
      await rm(filler);
      await until(() => succeeds(() => insert(store, 2)));
      assert.deepEqual(await rows(store), [{ x: 1 }, { x: 2 }]);
    } finally {
      await store.close();
    }
  });
});
