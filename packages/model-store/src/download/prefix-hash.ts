import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Checksum } from './remote-file.ts';

const PIECE_BYTES = 2 ** 20;

/** The hash whose value a checksum is. */
export function createChecksumHash(algorithm: Checksum['algorithm'], sizeBytes: number): Hash {
  if (algorithm === 'sha256') return createHash('sha256');
  // A blob of git is hashed with its type and size in front.
  return createHash('sha1').update(`blob ${sizeBytes}\0`);
}

/** Hashes a file from its start while later parts of it are written. */
export class PrefixHash {
  readonly #file: FileHandle;
  readonly #hash: Hash;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #hashed = 0;
  #end = 0;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isClosed = false;

  constructor(file: FileHandle, hash: Hash) {
    this.#file = file;
    this.#hash = hash;
  }

  /** The file is complete up to `end`. Errors appear in `digest`. */
  advance(end: number): void {
    this.#end = Math.max(this.#end, end);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#run().finally(() => {
      this.#isRunning = false;
    });
    this.#running.catch(() => {});
  }

  /** The hash of the first `sizeBytes`. */
  async digest(sizeBytes: number): Promise<string> {
    await this.#running;
    this.advance(sizeBytes);
    await this.#running;
    return this.#hash.digest('hex');
  }

  /** Stop reading; to be awaited before the file is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running.catch(() => {});
  }

  async #run(): Promise<void> {
    while (this.#hashed < this.#end && !this.#isClosed) {
      const length = Math.min(PIECE_BYTES, this.#end - this.#hashed);
      const { bytesRead } = await this.#file.read(this.#piece, 0, length, this.#hashed);
      if (bytesRead === 0) return;
      this.#hash.update(this.#piece.subarray(0, bytesRead));
      this.#hashed += bytesRead;
    }
  }
}
