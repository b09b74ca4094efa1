/**
 * Space that is kept for the moment in which the disk is full and PostgreSQL has given up: opening the store again needs
 * room for a part of the log. A file takes the space, and is removed then.
 */
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A segment of the log, and what recovery may have to write besides. */
const RESERVE_BYTES = 24 * 2 ** 20;

const pathOf = (folder: string): string => `${folder}.reserve`;
const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(dirname(folder));
  return bavail * bsize;
};

/** Make the reserve, when there is none and the disk has more than twice its size. */
export function keepReserve(folder: string): void {
  if (existsSync(pathOf(folder)) || freeBytes(folder) < 2 * RESERVE_BYTES) return;
  try {
    writeFileSync(pathOf(folder), new Uint8Array(RESERVE_BYTES), { mode: 0o600 });
  } catch {
    // Another process took the space.
    rmSync(pathOf(folder), { force: true });
  }
}

/** Give the reserve free when the disk has less room than it. */
export function useReserve(folder: string): void {
  if (freeBytes(folder) < RESERVE_BYTES) rmSync(pathOf(folder), { force: true });
}
