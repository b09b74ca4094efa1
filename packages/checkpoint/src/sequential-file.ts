import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from './bounded-file.ts';
import { VectorMemory } from './vectors/vector-memory.ts';

export interface SequentialFileOptions {
  /** Of the finished file. */
  readonly sizeBytes: number;
  /** A file of at least this size is written past the system's cache. */
  readonly uncachedFromBytes?: number;
  /** Bytes after which the system is asked to begin writing its cache to the disk. */
  readonly flushEveryBytes?: number;
}

/**
 * Copying bytes into the cache takes a processor longer than anything else of a conversion, and a file of this size leaves little
 * else in there. A smaller one stays, to be loaded from there.
 */
const UNCACHED_FROM_BYTES = 4 * 1024 * 1024 * 1024;

/** The disk works while the next bytes are computed, instead of after the last of them. */
const FLUSH_EVERY_BYTES = 256 * 1024 * 1024;

/** Writes past the cache are whole blocks at whole blocks, from memory that begins at one. */
const BLOCK_BYTES = 4096;
/** One buffer is filled while the disk has the others. */
const BUFFER_BYTES = 4 * 1024 * 1024;
const BUFFERS = 3;

/** A new file that is written front to back. Its methods throw what the system throws, and a failure of earlier bytes. */
export class SequentialFile {
  readonly #options: Required<SequentialFileOptions>;
  readonly #handle: FileHandle;
  /** Of the same file, for writes past the cache; null: this system or file system has none. */
  #uncached: FileHandle | null;
  /** Empty where bytes go into the cache. */
  readonly #buffers: readonly Uint8Array[];
  /** Writes of each buffer that the disk has. */
  readonly #writes: (Promise<void> | null)[];
  /** Index of the buffer that is being filled, and bytes in it. */
  #current = 0;
  #filled = 0;
  /** Where the next write begins. */
  #position = 0;
  #unflushedBytes = 0;
  #flushing: Promise<void> | null = null;
  /** The system reports a failed flush once: a later one succeeds although bytes are lost. */
  #failure: { readonly error: unknown } | null = null;

  private constructor(handle: FileHandle, uncached: FileHandle | null, options: SequentialFileOptions) {
    this.#handle = handle;
    this.#uncached = uncached;
    this.#options = { uncachedFromBytes: UNCACHED_FROM_BYTES, flushEveryBytes: FLUSH_EVERY_BYTES, ...options };
    this.#buffers = uncached === null ? [] : pageAlignedBuffers();
    this.#writes = this.#buffers.map(() => null);
  }

  /** Throws where the file exists. */
  static async create(path: string, options: SequentialFileOptions): Promise<SequentialFile> {
    const handle = await open(path, 'wx');
    const isLarge = options.sizeBytes >= (options.uncachedFromBytes ?? UNCACHED_FROM_BYTES);
    return new SequentialFile(handle, isLarge ? await openUncached(path) : null, options);
  }

  /** The caller may change `bytes` once the promise has settled. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#throwFailure();
    if (this.#buffers.length === 0) {
      await this.#write(bytes, this.#position);
      this.#position += bytes.byteLength;
      return;
    }
    for (let from = 0; from < bytes.byteLength; ) {
      const part = bytes.subarray(from, from + BUFFER_BYTES - this.#filled);
      this.#buffers[this.#current]!.set(part, this.#filled);
      this.#filled += part.byteLength;
      from += part.byteLength;
      if (this.#filled === BUFFER_BYTES) await this.#send();
    }
  }

  /** Flush everything to the disk and close the file. */
  async finish(): Promise<void> {
    if (this.#filled > 0) {
      // The file is cut to its size below.
      const end = BLOCK_BYTES * Math.ceil(this.#filled / BLOCK_BYTES);
      this.#buffers[this.#current]!.fill(0, this.#filled, end);
      this.#filled = end;
      await this.#send();
    }
    await Promise.all(this.#writes);
    await this.#flushing;
    this.#throwFailure();
    if (this.#buffers.length > 0) await this.#handle.truncate(this.#options.sizeBytes);
    await this.#handle.sync();
    await this.close();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writes);
    await Promise.all([this.#handle.close(), this.#uncached?.close()]);
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Have the current buffer written, and wait until the next one is free. */
  async #send(): Promise<void> {
    const bytes = this.#buffers[this.#current]!.subarray(0, this.#filled);
    this.#writes[this.#current] = this.#write(bytes, this.#position).catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#position += this.#filled;
    this.#filled = 0;
    this.#current = (this.#current + 1) % BUFFERS;
    await this.#writes[this.#current];
    this.#throwFailure();
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const handle = this.#uncached ?? this.#handle;
      try {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done);
        done += bytesWritten;
      } catch (error) {
        // Some file systems accept the flag and refuse the write.
        if (handle === this.#handle || errnoOf(error) !== 'EINVAL') throw error;
        const refused = this.#uncached === handle ? handle : null;
        this.#uncached = null;
        await refused?.close();
      }
    }
    if (this.#uncached === null) this.#flushAfter(bytes.byteLength);
  }

  /** Returns at once. One flush at a time; its failure is thrown by the next call. */
  #flushAfter(writtenBytes: number): void {
    this.#unflushedBytes += writtenBytes;
    if (this.#flushing !== null || this.#unflushedBytes < this.#options.flushEveryBytes) return;
    this.#unflushedBytes = 0;
    this.#flushing = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#flushing = null;
      });
  }
}

/** The memory of a WebAssembly module begins at a page, and so does each of its parts of whole pages. */
function pageAlignedBuffers(): readonly Uint8Array[] {
  const memory = new VectorMemory(BUFFERS * BUFFER_BYTES);
  return Array.from({ length: BUFFERS }, () => memory.take(BUFFER_BYTES));
}

async function openUncached(path: string): Promise<FileHandle | null> {
  // Absent on macOS and Windows.
  const flag: number | undefined = constants.O_DIRECT;
  if (flag === undefined) return null;
  try {
    return await open(path, constants.O_WRONLY | flag);
  } catch {
    return null;
  }
}
