/**
 * Room for PostgreSQL's write-ahead log. When the log needs its next segment and the disk has no room for it, PostgreSQL
 * gives up and the store must be opened again. So the next segments are made while there is room: until one cannot be
 * made, writes are refused.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const SEGMENT_BYTES = 16 * 2 ** 20;
const SEGMENT_NAME = /^[0-9A-F]{24}$/;
const SEGMENTS_IN_A_LOG = 2 ** 32 / SEGMENT_BYTES;
/** More than the log of the packets between two looks. */
const MIN_ROOM_BYTES = 2 * 2 ** 20;
/** Below it nothing is written: PostgreSQL's tables and indexes need room, too. Above the second one writing goes on. */
const MIN_FREE_BYTES = 2 * 2 ** 20;
const ENOUGH_FREE_BYTES = 4 * 2 ** 20;

export interface WalRoom {
  /** Bytes written to the log since the last call of `restart`. */
  readonly sinceRestart: number;
  /** Called for every write to a file of the store. */
  record(path: string, position: number, bytes: number): void;
  restart(): void;
  /** Forget what was recorded: files that are unpacked are written whole. */
  forget(): void;
  /** Whether a packet of this size can be executed, if it writes. Makes segments. */
  has(packetBytes: number): boolean;
}

/** @param freeBytes the free space of the disk; replaced in tests */
export function createWalRoom(folder: string, freeBytes: () => number = () => freeBytesOf(folder)): WalRoom {
  const logFolder = join(folder, 'pg_wal');
  let current: { readonly name: string; end: number } | null = null;
  let sinceRestart = 0;
  let wasFull = false;
  const makeSegment = (name: string): boolean => {
    // PostgreSQL removes files of this name when it starts.
    const aside = join(logFolder, 'xlogtemp.reserve');
    try {
      const file = openSync(aside, 'w', 0o600);
      try {
        const zeros = new Uint8Array(2 ** 20);
        for (let at = 0; at < SEGMENT_BYTES; at += zeros.length) writeSync(file, zeros);
        fdatasyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(aside, join(logFolder, name));
      syncFolderNow(logFolder);
      return true;
    } catch {
      rmSync(aside, { force: true });
      return false;
    }
  };
  const has = (packetBytes: number): boolean => {
    if (freeBytes() < (wasFull ? ENOUGH_FREE_BYTES : MIN_FREE_BYTES)) return false;
    // Not known before the first write after a start, which is small.
    if (current === null) return true;
    let room = SEGMENT_BYTES - current.end;
    const wanted = MIN_ROOM_BYTES + 2 * packetBytes;
    for (let name = nextSegment(current.name); room < wanted; name = nextSegment(name)) {
      if (!existsSync(join(logFolder, name)) && !makeSegment(name)) return false;
      room += SEGMENT_BYTES;
    }
    return true;
  };
  return {
    get sinceRestart() {
      return sinceRestart;
    },
    record(path, position, bytes) {
      if (dirname(path) !== logFolder) return;
      const name = path.slice(logFolder.length + 1);
      if (!SEGMENT_NAME.test(name)) return;
      sinceRestart += bytes;
      if (current === null || name > current.name) current = { name, end: position + bytes };
      else if (name === current.name) current.end = Math.max(current.end, position + bytes);
    },
    restart() {
      sinceRestart = 0;
    },
    forget() {
      current = null;
      sinceRestart = 0;
    },
    has(packetBytes) {
      const answer = has(packetBytes);
      wasFull = !answer;
      return answer;
    },
  };
}

/** The file that follows in the log: 8 hex digits each of timeline, log and segment. */
function nextSegment(name: string): string {
  const segment = Number.parseInt(name.slice(16), 16) + 1;
  const log = Number.parseInt(name.slice(8, 16), 16) + Math.floor(segment / SEGMENTS_IN_A_LOG);
  return name.slice(0, 8) + hex(log) + hex(segment % SEGMENTS_IN_A_LOG);
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}

function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function syncFolderNow(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
