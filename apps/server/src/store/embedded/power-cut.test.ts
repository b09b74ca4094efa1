/**
 * A disk that loses what was not synchronised. Writes of PostgreSQL are recorded with its synchronisations; for a cut at
 * a moment, a folder is made with what was synchronised by then, and of each file's later writes all, none, or some sectors.
 * Every such folder must open and hold every row whose insertion had been answered.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { keepBaselineWasm } from '../../testing/baseline-wasm.ts';
import { fillDataDir } from '../../testing/test-store.ts';
import type { FolderChange } from './durable-folder.ts';
import { openPglite } from './open-pglite.ts';

keepBaselineWasm();

const SECTOR_BYTES = 512;
const CUTS = 5;

interface FolderWrite {
  readonly type: 'write';
  readonly path: string;
  readonly position: number;
  readonly bytes: Uint8Array;
}
type FolderEvent = FolderWrite | { readonly type: 'sync'; readonly path: string } | FolderChange;

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'gptj-cut-'));
});
afterEach(() => rm(parent, { recursive: true }));

/** Deterministic, so that a failure can be repeated. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A file as the disk may hold it: synchronised bytes, and what came since. */
interface DiskFile {
  bytes: Buffer;
  later: (FolderWrite | Extract<FolderChange, { type: 'truncate' }>)[];
}

const resized = (bytes: Buffer, size: number): Buffer => {
  const result = Buffer.alloc(size);
  bytes.copy(result);
  return result;
};

function apply(file: DiskFile, event: DiskFile['later'][number], keeps: () => boolean): void {
  if (event.type === 'truncate') {
    if (keeps()) file.bytes = resized(file.bytes, event.size);
    return;
  }
  for (let at = 0; at < event.bytes.length; at += SECTOR_BYTES) {
    if (!keeps()) continue;
    const sector = event.bytes.subarray(at, at + SECTOR_BYTES);
    const end = event.position + at + sector.length;
    if (file.bytes.length < end) file.bytes = resized(file.bytes, end);
    file.bytes.set(sector, event.position + at);
  }
}

/** Make of a folder as it was before the events what a cut behind the first `end` of them may leave. */
function cutPower(folder: string, events: readonly FolderEvent[], end: number, random: () => number): void {
  const files = new Map<string, DiskFile>();
  const removed = new Set<string>();
  const fileAt = (path: string): DiskFile => {
    const file = files.get(path) ?? { bytes: readFileSync(join(folder, path)), later: [] };
    files.set(path, file);
    return file;
  };
  for (const event of events.slice(0, end)) {
    switch (event.type) {
      case 'create':
        files.set(event.path, { bytes: Buffer.alloc(0), later: [] });
        removed.delete(event.path);
        break;
      case 'write':
      case 'truncate':
        fileAt(event.path).later.push(event);
        break;
      case 'sync': {
        const file = files.get(event.path);
        for (const each of file?.later.splice(0) ?? []) apply(fileAt(event.path), each, () => true);
        break;
      }
      // File systems write names in order, and contents when they like.
      case 'rename':
        files.set(event.to, fileAt(event.from));
        files.delete(event.from);
        removed.add(event.from);
        removed.delete(event.to);
        break;
      case 'remove':
        files.delete(event.path);
        removed.add(event.path);
        break;
      default:
        event satisfies never;
    }
  }
  for (const [path, file] of files) {
    const share = [0, 0.5, 1][Math.floor(random() * 3)] ?? 0;
    for (const each of file.later) apply(file, each, () => random() < share);
    writeFileSync(join(folder, path), file.bytes);
  }
  for (const path of removed) rmSync(join(folder, path), { force: true });
}

test('after a power cut at any moment the store opens and holds every row that was acknowledged', async () => {
  const random = createRandom(20);
  const folder = join(parent, 'postgres');
  const before = join(parent, 'before');
  await fillDataDir(parent);
  cpSync(folder, before, { recursive: true });
  const events: FolderEvent[] = [];
  const within = (path: string): string => relative(folder, path);
  const pglite = await openPglite(
    { folder },
    {
      onWrite: (path, position, bytes) =>
        events.push({ type: 'write', path: within(path), position, bytes: new Uint8Array(bytes) }),
      onSync: (path) => events.push({ type: 'sync', path: within(path) }),
      onChange: (change) =>
        events.push(
          change.type === 'rename'
            ? { ...change, from: within(change.from), to: within(change.to) }
            : { ...change, path: within(change.path) },
        ),
    },
  );
  /** How many events there were when each row was acknowledged. */
  const acknowledged: number[] = [];
  try {
    await pglite.exec('CREATE TABLE kept (x integer PRIMARY KEY, text text)');
    const created = events.length;
    for (let x = 0; x < 120; x++) {
      await pglite.query('INSERT INTO kept VALUES ($1, $2)', [x, String(x).repeat(Math.floor(random() * 2000))]);
      acknowledged.push(events.length);
      if (x % 50 === 30) await pglite.exec('CHECKPOINT');
    }
    for (let i = 0; i < CUTS; i++) {
      const end = created + Math.floor(random() * (events.length - created + 1));
      const copy = join(parent, `cut-${i}`);
      cpSync(before, copy, { recursive: true });
      cutPower(copy, events, end, random);
      const expected = acknowledged.filter((at) => at <= end).length;
      const reopened = await openPglite({ folder: copy });
      try {
        const { rows } = await reopened.query<{ x: number }>('SELECT x FROM kept ORDER BY x');
        const found = rows.map(({ x }) => x);
        assert.deepEqual(
          found.slice(0, expected),
          acknowledged.slice(0, expected).map((_, x) => x),
          `cut ${i} after ${end} of ${events.length} events`,
        );
        // The insertion under way was not acknowledged; its row may be there.
        assert.ok(found.length <= expected + 1);
      } finally {
        await reopened.close();
      }
      rmSync(copy, { recursive: true });
    }
  } finally {
    await pglite.close();
  }
});
