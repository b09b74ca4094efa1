/** The contract of every reader on damaged files, and helpers that the tests share. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BoundedFile } from './bounded-file.ts';
import { CheckpointError, type CheckpointErrorCode } from './checkpoint-error.ts';

/** A temporary folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-checkpoint-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Path of a committed fixture. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Write `bytes`, open them as a file, read, close. */
export async function readBytes<T>(
  folder: string,
  bytes: Uint8Array,
  read: (file: BoundedFile) => Promise<T>,
): Promise<T> {
  const path = join(folder, 'weights');
  writeFileSync(path, bytes);
  const file = await BoundedFile.open(path);
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

/** Assert that `promise` rejects with this code and message. */
export async function assertRefused(
  promise: Promise<unknown>,
  code: CheckpointErrorCode,
  words: RegExp,
): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof CheckpointError, `expected a CheckpointError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
}

/**
 * Damage `bytes` within `ranges` in `rounds` seeded ways. Reading must succeed or throw a CheckpointError, and both must
 * occur: otherwise the damage missed the header, or the reader refuses harmless changes.
 */
export async function assertSurvivesDamage(options: {
  readonly bytes: Uint8Array;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  readonly rounds: number;
  readonly read: (bytes: Uint8Array) => Promise<unknown>;
}): Promise<void> {
  const random = mulberry32(20220601);
  const codes = new Map<string, number>();
  for (let round = 0; round < options.rounds; round++) {
    const damaged = damage(options.bytes, options.ranges, random);
    let outcome = 'read';
    try {
      await options.read(damaged);
    } catch (error) {
      assert.ok(
        error instanceof CheckpointError,
        `round ${round}: ${error instanceof Error ? error.stack : String(error)}`,
      );
      outcome = error.code;
    }
    codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
  }
  assert.ok((codes.get('read') ?? 0) > 0 && codes.size > 3, `outcomes: ${JSON.stringify([...codes])}`);
}

const TELLING_BYTES: readonly number[] = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x22, 0x7b, 0x5d, 0x2c, 0x39];

function damage(bytes: Uint8Array, ranges: readonly (readonly [number, number])[], random: () => number): Uint8Array {
  const below = (count: number): number => Math.floor(random() * count);
  const place = (): number => {
    const [start, end] = ranges[below(ranges.length)] ?? [0, bytes.length];
    return start + below(end - start);
  };
  const kind = below(10);
  if (kind === 0) return bytes.slice(0, below(bytes.length));
  if (kind === 1) {
    const at = place();
    return Uint8Array.from([...bytes.subarray(0, at), below(256), ...bytes.subarray(at)]);
  }
  const damaged = new Uint8Array(bytes);
  if (kind === 2) {
    const from = place();
    damaged.copyWithin(place(), from, from + 1 + below(16));
    return damaged;
  }
  for (let changes = 1 + below(3); changes > 0; changes--) {
    damaged[place()] = kind < 6 ? below(256) : (TELLING_BYTES[below(TELLING_BYTES.length)] ?? 0);
  }
  return damaged;
}

/** Tommy Ettinger's mulberry32: small, seeded, even enough. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
