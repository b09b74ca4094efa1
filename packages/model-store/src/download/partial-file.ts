/**
 * A file that is being downloaded: `NAME.part` of its full size and `NAME.journal`. Bytes count as safe when they have been
 * flushed to the disk and the journal says it. Segments are written from their starts on, several at a time.
 */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ModelStoreError, writeError } from '../model-store-error.ts';
import {
  type Journal,
  type JournalIdentity,
  resumeJournal,
  type SafeBytes,
  segmentCount,
  segmentLength,
  startJournal,
} from './journal.ts';
import { createChecksumHash, PrefixHash } from './prefix-hash.ts';
import { syncFolder } from './sync-folder.ts';

interface Waiter {
  readonly start: number;
  readonly end: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface PartialFileOptions {
  readonly identity: JournalIdentity;
  /** Bytes between two lines of the journal. */
  readonly journalBytes: number;
  /** Called with the number of safe bytes. */
  readonly onSafe: (bytes: number) => void;
}

export class PartialFile {
  readonly identity: JournalIdentity;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #journal: Journal;
  readonly #hash: PrefixHash;
  /** Bytes of every segment that have been written, and those that are safe. */
  readonly #written: number[];
  readonly #safe: number[];
  #unsafeBytes = 0;
  readonly #journalBytes: number;
  #flushing: Promise<void> | null = null;
  readonly #waiting = new Set<Waiter>();
  #isClosed = false;
  readonly #onSafe: (bytes: number) => void;

  private constructor(
    path: string,
    { file, journal }: { readonly file: FileHandle; readonly journal: Journal },
    { identity, journalBytes, onSafe }: PartialFileOptions,
  ) {
    this.#path = path;
    this.#file = file;
    this.#journal = journal;
    this.identity = identity;
    this.#written = [...journal.safe];
    this.#safe = [...journal.safe];
    this.#onSafe = onSafe;
    this.#journalBytes = journalBytes;
    const algorithm = identity.checksum?.algorithm ?? 'sha256';
    this.#hash = new PrefixHash(file, createChecksumHash(algorithm, identity.sizeBytes));
    this.#hash.advance(this.#safePrefix());
  }

  /** Go on with what an earlier process left, or begin. Throws `disk_full`, `io`. */
  static async open(path: string, options: PartialFileOptions): Promise<PartialFile> {
    const { identity, onSafe } = options;
    try {
      const part = `${path}.part`;
      const size = await stat(part).then(
        (found) => found.size,
        () => -1,
      );
      const resumed = size === identity.sizeBytes ? await resumeJournal(`${path}.journal`, identity) : null;
      const file = await open(part, resumed === null ? 'w+' : 'r+', 0o600);
      try {
        if (resumed === null) {
          // The old journal must not speak for the new file.
          await rm(`${path}.journal`, { force: true });
          await file.truncate(identity.sizeBytes);
          await file.sync();
        }
        const journal = resumed ?? (await startJournal(`${path}.journal`, identity));
        await syncFolder(dirname(path));
        const partial = new PartialFile(path, { file, journal }, options);
        onSafe(partial.#safeBytes());
        return partial;
      } catch (error) {
        await resumed?.close();
        await file.close();
        throw error;
      }
    } catch (error) {
      throw writeError(path, error);
    }
  }

  get segments(): number {
    return segmentCount(this.identity);
  }

  /** The next byte that a segment needs, and its end: positions in the file. */
  missing(segment: number): { readonly start: number; readonly end: number } {
    const from = segment * this.identity.segmentBytes;
    return { start: from + this.#written[segment]!, end: from + segmentLength(this.identity, segment) };
  }

  /** Where the bytes are until the file is complete. */
  get path(): string {
    return `${this.#path}.part`;
  }

  /** Resolves when the bytes from `start` to before `end` are safe; rejects when the file is closed before. */
  async waitFor(start: number, end: number): Promise<void> {
    if (this.#isSafe(start, end)) return;
    if (this.#isClosed) throw new ModelStoreError('aborted', `${this.#path}: the download has ended`);
    await new Promise<void>((resolve, reject) => this.#waiting.add({ start, end, resolve, reject }));
  }

  #isSafe(start: number, end: number): boolean {
    const { segmentBytes } = this.identity;
    for (let segment = Math.floor(start / segmentBytes); segment * segmentBytes < end; segment++) {
      const length = segmentLength(this.identity, segment);
      if (this.#safe[segment]! < Math.min(length, end - segment * segmentBytes)) return false;
    }
    return true;
  }

  /** Append bytes to a segment. Throws `disk_full`, `io`. */
  async write(segment: number, bytes: Uint8Array): Promise<void> {
    const { start } = this.missing(segment);
    try {
      for (let done = 0; done < bytes.byteLength; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.byteLength - done, start + done);
        done += bytesWritten;
      }
      this.#written[segment]! += bytes.byteLength;
      this.#unsafeBytes += bytes.byteLength;
      if (this.#unsafeBytes >= this.#journalBytes) await this.flush();
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  /** Make all written bytes safe. Calls at the same time share one flush. */
  async flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = null;
    });
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    const changes = this.#written.flatMap((bytes, segment): SafeBytes[] =>
      bytes > this.#safe[segment]! ? [[segment, bytes]] : [],
    );
    if (changes.length === 0) return;
    this.#unsafeBytes = 0;
    await this.#file.datasync();
    await this.#journal.append(changes);
    for (const [segment, bytes] of changes) this.#safe[segment] = bytes;
    this.#hash.advance(this.#safePrefix());
    this.#onSafe(this.#safeBytes());
    for (const waiter of this.#waiting) {
      if (!this.#isSafe(waiter.start, waiter.end)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /**
   * Check the hash of the complete file and give it its name. Null: it matches, or there is none to compare with; else the
   * hash that the file has, and nothing was renamed.
   */
  async finish(): Promise<string | null> {
    await this.flush();
    const { checksum, sizeBytes } = this.identity;
    const hex = await this.#hash.digest(sizeBytes);
    if (checksum !== null && checksum.hex !== hex) return hex;
    if (this.#safeBytes() !== sizeBytes)
      throw new ModelStoreError('io', `${this.#path}: the partial file is incomplete`);
    await rename(`${this.#path}.part`, this.#path);
    await syncFolder(dirname(this.#path));
    await rm(`${this.#path}.journal`);
    return null;
  }

  /** Close the files. What is safe stays for the next process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting)
      reject(new ModelStoreError('aborted', `${this.#path}: the download has ended`));
    this.#waiting.clear();
    await this.#flushing?.catch(() => {});
    await this.#hash.close();
    await this.#journal.close();
    await this.#file.close();
  }

  #safeBytes(): number {
    return this.#safe.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Number of safe bytes without a gap from the start of the file. */
  #safePrefix(): number {
    const open = this.#safe.findIndex((bytes, segment) => bytes < segmentLength(this.identity, segment));
    if (open < 0) return this.identity.sizeBytes;
    return open * this.identity.segmentBytes + this.#safe[open]!;
  }
}
