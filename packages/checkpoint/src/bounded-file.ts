import { type FileHandle, open, stat } from 'node:fs/promises';
import { endianness } from 'node:os';
import { CheckpointError } from './checkpoint-error.ts';
import { foreignFileName, plainTextName } from './foreign-file.ts';
import { parsePythonJson } from './python-json.ts';

/** Bytes that are read at any offset. */
export interface ByteSource {
  /** For messages. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Fill `target` from byte `offset` on. Throws `truncated`, `closed`, `io`. */
  read(offset: number, target: Uint8Array): Promise<void>;
}

/** A part of another source, named `path` in messages. */
export function sliceOf(source: ByteSource, path: string, start: number, sizeBytes: number): ByteSource {
  return {
    path,
    sizeBytes,
    async read(offset, target) {
      if (offset < 0 || offset + target.byteLength > sizeBytes) {
        throw new CheckpointError(
          'truncated',
          { file: path },
          `expected ${target.byteLength} bytes at ${offset}, got ${sizeBytes} bytes`,
        );
      }
      await source.read(start + offset, target);
    },
  };
}

/** A file of its full size whose bytes are still being written. */
export interface GrowingFile {
  readonly path: string;
  /** Resolves when these bytes have their final values. Rejects when they never will. */
  waitFor(start: number, end: number): Promise<void>;
  /** The file has been opened: from now on it may be renamed. */
  onOpened?(): void;
}

/** Random reads from one file, never past its end. */
export class BoundedFile implements ByteSource {
  readonly path: string;
  /** Size when opened. Reads throw `truncated` if the file shrinks afterwards. */
  readonly sizeBytes: number;
  /** Reads wait for bytes, so that a read far ahead is to be put off. */
  readonly isGrowing: boolean;
  readonly #growing: GrowingFile | null;
  #handle: FileHandle | null;

  private constructor(
    path: string,
    { sizeBytes, growing }: { readonly sizeBytes: number; readonly growing: GrowingFile | null },
    handle: FileHandle,
  ) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.isGrowing = growing !== null;
    this.#growing = growing;
    this.#handle = handle;
  }

  /**
   * Throws `not_found`, `io`, and `unsupported` on a big-endian machine: weights are viewed in place. `growing`: where the
   * bytes are, under another name, until the file is complete.
   */
  static async open(path: string, growing: GrowingFile | null = null): Promise<BoundedFile> {
    if (endianness() !== 'LE') {
      throw new CheckpointError(
        'unsupported',
        { file: path },
        'expected a little-endian machine, got a big-endian one',
      );
    }
    try {
      // Checked before opening, because open() on a pipe blocks until there is a writer.
      const place = growing?.path ?? path;
      const { size } = await regularFile(place);
      const handle = await open(place, 'r');
      growing?.onOpened?.();
      return new BoundedFile(path, { sizeBytes: size, growing }, handle);
    } catch (error) {
      throw error instanceof CheckpointError ? error : readError(path, error);
    }
  }

  /** Fill `target` from byte `offset` on. Throws `truncated`, `closed`, `io`. */
  async read(offset: number, target: Uint8Array): Promise<void> {
    const handle = this.#handle;
    if (handle === null) throw new CheckpointError('closed', { file: this.path }, 'the file is closed');
    if (offset < 0 || offset + target.byteLength > this.sizeBytes) {
      throw new CheckpointError(
        'truncated',
        { file: this.path },
        `expected ${target.byteLength} bytes at ${offset}, got a file of ${this.sizeBytes} bytes`,
      );
    }
    await this.#growing?.waitFor(offset, offset + target.byteLength);
    let done = 0;
    while (done < target.byteLength) {
      let count: number;
      try {
        ({ bytesRead: count } = await handle.read(target, done, target.byteLength - done, offset + done));
      } catch (error) {
        throw readError(this.path, error);
      }
      if (count === 0) {
        throw new CheckpointError(
          'truncated',
          { file: this.path },
          `the file ended at ${offset + done} while it was read`,
        );
      }
      done += count;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }
}

async function regularFile(path: string): Promise<{ readonly size: number }> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new CheckpointError('not_found', { file: path }, 'expected a regular file');
  return stats;
}

/** Read a small file as text. Throws `too_large` past `maxBytes`, `not_found`, `unsupported`, `io`. */
export async function readSmallText(path: string, maxBytes: number): Promise<string> {
  const file = await BoundedFile.open(path);
  try {
    if (file.sizeBytes > maxBytes) {
      throw new CheckpointError(
        'too_large',
        { file: path },
        `expected at most ${maxBytes} bytes, got ${file.sizeBytes}`,
      );
    }
    const bytes = new Uint8Array(file.sizeBytes);
    await file.read(0, bytes);
    checkNotForeign(path, bytes);
    return new TextDecoder('utf-8').decode(bytes);
  } finally {
    await file.close();
  }
}

/** {@link readSmallText}, parsed as Python's `json` does. Throws `malformed` for anything but JSON. */
export async function readSmallJson(path: string, maxBytes: number): Promise<unknown> {
  const text = await readSmallText(path, maxBytes);
  try {
    return parsePythonJson(text);
  } catch (error) {
    throw new CheckpointError('malformed', { file: path }, 'expected JSON', { cause: error });
  }
}

/** Throws `unsupported` for a Git LFS pointer and an HTML page, by the first bytes of a file. */
function checkNotForeign(path: string, start: Uint8Array): void {
  refuseForeign(path, foreignFileName(start));
}

/** {@link checkNotForeign} for weights, which no text is. */
export function checkIsBinary(path: string, start: Uint8Array): void {
  refuseForeign(path, foreignFileName(start) ?? plainTextName(start));
}

function refuseForeign(path: string, foreign: string | null): void {
  if (foreign === null) return;
  throw new CheckpointError('unsupported', { file: path }, `expected a file of a model, got ${foreign}`);
}

/** The first bytes of a file, fewer where it is shorter. */
export async function readStart(file: BoundedFile, maxBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Math.min(file.sizeBytes, maxBytes));
  await file.read(0, bytes);
  return bytes;
}

function readError(path: string, cause: unknown): CheckpointError {
  const code = errnoOf(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') {
    return new CheckpointError('not_found', { file: path }, 'expected a file, found none', { cause });
  }
  return new CheckpointError('io', { file: path }, `could not read (${code ?? String(cause)})`, { cause });
}

/** The errno code of a system error (`ENOENT`, …), or null for another error. */
export function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
