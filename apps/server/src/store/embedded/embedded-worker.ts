/**
 * The thread of the embedded store: one PGlite, one connection. It answers packets of PostgreSQL's protocol in order. The
 * thread of the server never waits for the disk or for a query.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { PGlite } from '@electric-sql/pglite';
import { loadMigrations, migrate } from '../migrate.ts';
import { StoreError } from '../store-error.ts';
import { keepReserve } from './disk-reserve.ts';
import { openPglite } from './open-pglite.ts';
import { errnoReason, reasonInLog } from './pglite-failure.ts';
import { createWalRoom } from './wal-room.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';

/**
 * PostgreSQL writes no checkpoint by itself without its background processes. Nothing else is answered meanwhile, so
 * checkpoints are many and short.
 */
const CHECKPOINT_AFTER_BYTES = 16 * 2 ** 20;
const CHECKPOINT_EVERY_MS = 300_000;
/** How often the free space of the disk is looked at while packets come, and while none come. */
const LOOK_MS = 100;
const IDLE_LOOK_MS = 1_000;
/** A packet of this size is looked at however short ago the last look was. */
const MIN_LARGE_BYTES = 2 ** 16;
/** PGlite's status for an error of PostgreSQL that it handles: the one exception after which it goes on. */
const HANDLED_STATUS = 100;

const port = parentPort;
if (port === null) throw new Error('expected to run in a worker thread');
const { folder, tar, keepsReserve } = workerData as WorkerTask;
const send = (message: FromWorker): void => {
  if (message instanceof Uint8Array) port.postMessage(message, [message.buffer]);
  else port.postMessage(message);
};
const room = folder === null ? null : createWalRoom(folder);
const onWrite = (path: string, position: number, bytes: Uint8Array): void => room?.record(path, position, bytes.length);

/** The last lines of PostgreSQL's log. */
const lines: string[] = [];

const pglite = await open();
if (pglite !== null) serve(pglite);

async function open(): Promise<PGlite | null> {
  try {
    const observer = room === null ? {} : { onWrite };
    const opened = await openPglite({ folder, tar: tar ?? undefined }, observer, lines);
    room?.forget();
    await migrate((work) => opened.transaction((tx) => work(tx)), await loadMigrations());
    return opened;
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'store_unusable';
    send({ type: 'refused', code, message: error instanceof Error ? error.message : String(error) });
    port?.close();
    return null;
  }
}

function serve(store: PGlite): void {
  watchForDeath(store);
  let isFull = false;
  let inBackup = false;
  let lookedAt = 0;
  let checkpointedAt = performance.now();

  const inTransaction = (): boolean => store.Module._IsTransactionBlock() !== 0;
  const run = (text: string): Promise<{ readonly rows: readonly unknown[] }[]> => store.exec(text);
  /** Refuse writes when they have no room, until they have; also those that a transaction under way still makes. */
  const look = async (packetBytes: number): Promise<void> => {
    const now = performance.now();
    if (room === null || (now - lookedAt < LOOK_MS && packetBytes < MIN_LARGE_BYTES)) return;
    lookedAt = now;
    const hasRoom = room.has(packetBytes);
    if (inTransaction()) {
      // In one that has failed already, this fails, too.
      if (!hasRoom) await run('SET transaction_read_only = on').catch(() => {});
      return;
    }
    if (hasRoom !== isFull) return;
    isFull = !hasRoom;
    await run(`SET default_transaction_read_only = ${isFull ? 'on' : 'off'}`);
    send({ type: 'disk', isFull });
  };
  const beginBackup = async (): Promise<string> => {
    await run("SELECT pg_backup_start('backup', true)");
    inBackup = true;
    return '';
  };
  const endBackup = async (): Promise<string> => {
    inBackup = false;
    const [row] = (await run('SELECT labelfile FROM pg_backup_stop(false)')).at(-1)?.rows ?? [];
    return typeof row === 'object' && row !== null ? String(Reflect.get(row, 'labelfile')) : '';
  };
  const checkpoint = async (): Promise<void> => {
    if (room === null || isFull || inBackup || inTransaction() || room.sinceRestart === 0) return;
    const isDue = performance.now() - checkpointedAt > CHECKPOINT_EVERY_MS;
    if (!isDue && room.sinceRestart < CHECKPOINT_AFTER_BYTES) return;
    await run('CHECKPOINT');
    room.restart();
    checkpointedAt = performance.now();
  };

  const handle = async (message: ToWorker): Promise<void> => {
    if (message instanceof Uint8Array) {
      await look(message.length);
      const parts: Uint8Array<ArrayBuffer>[] = [];
      await store.execProtocolRawStream(message, {
        syncToFs: false,
        // A view of PostgreSQL's memory.
        onRawData: (bytes) => parts.push(new Uint8Array(bytes)),
      });
      send(joined(parts));
      await checkpoint();
      return;
    }
    switch (message.type) {
      case 'connect':
        if (inTransaction()) await run('ROLLBACK');
        await run('DISCARD ALL');
        if (isFull) await run('SET default_transaction_read_only = on');
        return;
      case 'backup': {
        const { id, action } = message;
        try {
          send({ type: 'backup', id, label: await (action === 'start' ? beginBackup() : endBackup()), error: null });
        } catch (error) {
          send({ type: 'backup', id, label: '', error: error instanceof Error ? error.message : String(error) });
        }
        return;
      }
      case 'dump': {
        await run('CHECKPOINT');
        const bytes = new Uint8Array(await (await store.dumpDataDir('gzip')).arrayBuffer());
        port?.postMessage({ type: 'dumped', id: message.id, bytes } satisfies FromWorker, [bytes.buffer]);
        return;
      }
      case 'close':
        clearInterval(timer);
        await store.close();
        send({ type: 'closed' });
        port?.close();
        return;
      default:
        return message satisfies never;
    }
  };
  let last: Promise<void> = Promise.resolve();
  const enqueue = (work: () => Promise<void>): void => {
    last = last.then(work).catch((error: unknown) => die(error));
  };
  const timer = setInterval(() => {
    enqueue(async () => {
      await look(0);
      await checkpoint();
      if (folder !== null && keepsReserve && !isFull) keepReserve(folder);
    });
  }, IDLE_LOOK_MS);
  port?.on('message', (message: ToWorker) => enqueue(() => handle(message)));
  if (folder !== null && keepsReserve) keepReserve(folder);
  send({ type: 'opened' });
}

/**
 * PGlite repeats a packet for ever once PostgreSQL has given up, as it does when its log finds no room: the exception that
 * reports it is caught where it loops.
 */
function watchForDeath({ Module: module }: PGlite): void {
  const { _PostgresMainLoopOnce: runOnce } = module;
  module._PostgresMainLoopOnce = () => {
    try {
      runOnce();
    } catch (error) {
      if (typeof error === 'object' && error !== null && Reflect.get(error, 'status') === HANDLED_STATUS) throw error;
      die(error);
    }
  };
}

/** Report the end of PostgreSQL and end the thread at once: its memory is in an unknown state. */
function die(error: unknown): never {
  const reason = reasonInLog(lines) ?? errnoReason(error) ?? (error instanceof Error ? error.message : String(error));
  send({ type: 'died', reason, isFull: /No space left on device|no space is left/i.test(reason) });
  process.exit(1);
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [first, ...rest] = parts;
  if (first !== undefined && rest.length === 0) return first;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
