/** The bytes of large files, in slices: no statement holds the store for long, and readers hold one slice at a time. */
import { setImmediate } from 'node:timers/promises';
import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { fileSlices, files } from '../run-tables.ts';
import type { NewFile, StoredFile } from './file.ts';

/** Length of every slice but the last. */
export const SLICE_BYTES = 256 * 1024;

/** Whether a file of this size is stored in slices. */
export function isSliced(sizeBytes: number): boolean {
  return sizeBytes > SLICE_BYTES;
}

export async function insertSlice(db: Database, fileId: string, index: number, bytes: Uint8Array): Promise<void> {
  await db.insert(fileSlices).values({ fileId, index, bytes });
}

/**
 * Write the slices of a file, one statement each, so that other statements get their turn between them. So does the event
 * loop: statements of a store in this process follow each other without a turn of it.
 */
export async function insertSlices(db: Database, { id: fileId, bytes }: NewFile): Promise<void> {
  for (let index = 0; index * SLICE_BYTES < bytes.length; index++) {
    const start = index * SLICE_BYTES;
    await insertSlice(db, fileId, index, bytes.subarray(start, start + SLICE_BYTES));
    await setImmediate();
  }
}

/** Bytes in slices: all but the last have the full length. */
export async function* toSlices(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let slice = Buffer.alloc(0);
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (slice.length === 0) slice = Buffer.allocUnsafe(SLICE_BYTES);
      const part = chunk.subarray(at, at + SLICE_BYTES - length);
      slice.set(part, length);
      at += part.length;
      length += part.length;
      if (length < SLICE_BYTES) continue;
      yield slice;
      slice = Buffer.alloc(0);
      length = 0;
    }
  }
  if (length > 0) yield slice.subarray(0, length);
}

/** The bytes of a file, slice by slice, read as the consumer asks for them. Throws when the file is deleted meanwhile. */
export async function* readSlices(db: Database, file: StoredFile): AsyncGenerator<Uint8Array> {
  if (file.bytes !== null) {
    if (file.bytes.length > 0) yield file.bytes;
    return;
  }
  for (let index = 0; index * SLICE_BYTES < file.sizeBytes; index++) {
    // Files from before migration 0009 have all bytes in their row.
    const part = sql<Uint8Array | null>`coalesce(
      substring(${files.bytes} FROM ${index * SLICE_BYTES + 1}::integer FOR ${SLICE_BYTES}::integer), ${fileSlices.bytes})`;
    const rows = await db
      .select({ bytes: part })
      .from(files)
      .leftJoin(fileSlices, and(eq(fileSlices.fileId, files.id), eq(fileSlices.index, index)))
      .where(eq(files.id, file.id));
    const bytes = rows[0]?.bytes;
    if (bytes == null) throw new Error(`file ${file.id}: expected slice ${index}, got none: it was deleted`);
    yield bytes;
  }
}

/** All bytes of a file. */
export async function readBytes(db: Database, file: StoredFile): Promise<Uint8Array> {
  if (file.bytes !== null) return file.bytes;
  const all = new Uint8Array(file.sizeBytes);
  let at = 0;
  for await (const slice of readSlices(db, file)) {
    all.set(slice, at);
    at += slice.length;
  }
  return all;
}
