/**
 * Which bytes of a partial file are on the disk. A text file that is only appended to: the first line names the file that is
 * downloaded, every further one lists segments with the number of their bytes that are safe, counted from the start of the
 * segment. A line is appended after the bytes it counts have been flushed, and is flushed itself, so that what it says is true
 * after `kill -9` and after a loss of power. A last line that was cut counts for nothing.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { errnoOf } from '../model-store-error.ts';
import type { Checksum } from './remote-file.ts';

/** What must not have changed for bytes of an earlier process to count. */
export interface JournalIdentity {
  readonly sizeBytes: number;
  readonly checksum: Checksum | null;
  readonly etag: string | null;
  readonly segmentBytes: number;
}

/** The index of a segment, and the number of its safe bytes. */
export type SafeBytes = readonly [segment: number, bytes: number];

export interface Journal {
  /** Safe bytes of every segment. */
  readonly safe: readonly number[];
  append(changes: readonly SafeBytes[]): Promise<void>;
  close(): Promise<void>;
}

/** Number of bytes of one segment: the last one is shorter. */
export function segmentLength({ sizeBytes, segmentBytes }: JournalIdentity, segment: number): number {
  return Math.min(segmentBytes, sizeBytes - segment * segmentBytes);
}

export function segmentCount({ sizeBytes, segmentBytes }: JournalIdentity): number {
  return Math.ceil(sizeBytes / segmentBytes);
}

/** Open the journal of an earlier process; null when there is none for this file. */
export async function resumeJournal(path: string, identity: JournalIdentity): Promise<Journal | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  // What follows the last line break was cut.
  lines.pop();
  const first = lines.shift();
  if (first === undefined || !isDeepStrictEqual(parseLine(first), identity)) return null;
  const safe = new Array<number>(segmentCount(identity)).fill(0);
  let keptBytes = Buffer.byteLength(first) + 1;
  for (const line of lines) {
    const changes = readChanges(parseLine(line), identity, safe);
    if (changes === null) break;
    for (const [segment, bytes] of changes) safe[segment] = bytes;
    keptBytes += Buffer.byteLength(line) + 1;
  }
  const file = await open(path, 'r+');
  await file.truncate(keptBytes);
  return journalOn(file, keptBytes, safe);
}

/** Safe bytes of a partial file, whatever was downloaded; 0 without a journal. */
export async function readSafeBytes(path: string): Promise<number> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(1, -1);
  const safe = new Map<number, number>();
  for (const line of lines) {
    const changes = parseLine(line);
    if (!Array.isArray(changes) || !changes.every((change) => Array.isArray(change))) break;
    for (const [segment, bytes] of changes) safe.set(Number(segment), Number(bytes));
  }
  return [...safe.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Begin a journal, replacing any. */
export async function startJournal(path: string, identity: JournalIdentity): Promise<Journal> {
  const file = await open(path, 'w', 0o600);
  const line = Buffer.from(`${JSON.stringify(identity)}\n`);
  try {
    await file.write(line, 0, line.byteLength, 0);
    await file.datasync();
  } catch (error) {
    await file.close();
    throw error;
  }
  return journalOn(file, line.byteLength, new Array<number>(segmentCount(identity)).fill(0));
}

function journalOn(file: FileHandle, sizeBytes: number, safe: readonly number[]): Journal {
  let end = sizeBytes;
  return {
    safe,
    async append(changes) {
      const line = Buffer.from(`${JSON.stringify(changes)}\n`);
      await file.write(line, 0, line.byteLength, end);
      await file.datasync();
      end += line.byteLength;
    },
    close: () => file.close(),
  };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Null for a line that is none, or that takes bytes back. */
function readChanges(value: unknown, identity: JournalIdentity, safe: readonly number[]): readonly SafeBytes[] | null {
  if (!Array.isArray(value)) return null;
  const changes: SafeBytes[] = [];
  for (const entry of value) {
    const [segment, bytes] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(bytes)) return null;
    const [at, count] = [Number(segment), Number(bytes)];
    const before = safe[at];
    if (before === undefined || count < before || count > segmentLength(identity, at)) return null;
    changes.push([at, count]);
  }
  return changes;
}
