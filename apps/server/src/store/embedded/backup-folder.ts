/**
 * A backup of PostgreSQL's folder as a gzipped tar, read while the store is in use: PostgreSQL's own way of a base backup.
 * Files may change while they are read; opening the copy applies the log that was written meanwhile.
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

/** What a backup asks of the thread of the store. */
export interface BackupStore {
  /** Rejects when a backup is under way. */
  beginBackup(): Promise<void>;
  /** The label, which goes into the backup. */
  endBackup(): Promise<string>;
}

/** Made anew by the next start. */
const LEFT_OUT: ReadonlySet<string> = new Set(['postmaster.pid', 'postmaster.opts', 'backup_label']);
const CHUNK_BYTES = 2 ** 18;

/** Gzipped in the threads of Node, a chunk at a time. */
export async function* backupFolder(folder: string, store: BackupStore): AsyncGenerator<Uint8Array> {
  yield* gzipped(onlineTar(folder, store));
}

/** The same of a folder that no process uses. */
export async function* backupClosedFolder(folder: string): AsyncGenerator<Uint8Array> {
  yield* gzipped(closedTar(folder));
}

async function* gzipped(tar: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level: 6 });
  const source = Readable.from(tar, { objectMode: false, highWaterMark: CHUNK_BYTES });
  source.on('error', (error) => gzip.destroy(error));
  source.pipe(gzip);
  try {
    for await (const chunk of gzip) if (chunk instanceof Uint8Array) yield chunk;
  } finally {
    source.destroy();
    gzip.destroy();
  }
}

async function* onlineTar(folder: string, store: BackupStore): AsyncGenerator<Uint8Array> {
  await store.beginBackup();
  let label: string | null = null;
  try {
    yield* filesOf(folder, '', (path) => path !== 'pg_wal');
    label = await store.endBackup();
    // The log last: opening the copy needs all of it up to this moment.
    yield* filesOf(join(folder, 'pg_wal'), 'pg_wal', () => true);
    yield tarHeader('backup_label', Buffer.byteLength(label), 'file');
    yield Buffer.from(label);
    yield tarPadding(Buffer.byteLength(label));
    yield tarEnd();
  } finally {
    if (label === null) await store.endBackup().catch(() => '');
  }
}

async function* closedTar(folder: string): AsyncGenerator<Uint8Array> {
  yield* filesOf(folder, '', () => true);
  yield tarEnd();
}

/** The files below a folder with the folders that hold them; those that end meanwhile are left out. */
async function* filesOf(folder: string, name: string, include: (path: string) => boolean): AsyncGenerator<Uint8Array> {
  if (name !== '') yield tarHeader(`${name}/`, 0, 'folder');
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)) {
    const path = name === '' ? entry.name : `${name}/${entry.name}`;
    if (LEFT_OUT.has(path)) continue;
    if (!include(path)) continue;
    if (entry.isDirectory()) yield* filesOf(join(folder, entry.name), path, include);
    else if (entry.isFile()) yield* fileOf(join(folder, entry.name), path);
  }
}

async function* fileOf(path: string, name: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r').catch(ignoreMissing);
  if (!('read' in file)) return;
  try {
    const { size } = await file.stat();
    yield tarHeader(name, size, 'file');
    let rest = size;
    while (rest > 0) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, rest)));
      // It was cut off meanwhile, which the log holds as well.
      yield bytesRead === 0 ? new Uint8Array(Math.min(CHUNK_BYTES, rest)) : buffer.subarray(0, bytesRead);
      rest -= bytesRead === 0 ? Math.min(CHUNK_BYTES, rest) : bytesRead;
    }
    yield tarPadding(size);
  } finally {
    await file.close();
  }
}

function ignoreMissing(error: unknown): [] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}
