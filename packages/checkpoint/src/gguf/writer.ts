import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, type Stats } from 'node:fs';
import { link, open, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { SequentialFile, type SequentialFileOptions } from '../sequential-file.ts';
import { type GgufTensorPlan, ggufHeaderBytes, planBytes } from './header-bytes.ts';
import { align, GGUF_ALIGNMENT, type GgufMetadata } from './metadata.ts';

export interface GgufWriterOptions extends Omit<SequentialFileOptions, 'sizeBytes'> {
  readonly metadata: GgufMetadata;
  /** In the order of their data. */
  readonly tensors: readonly GgufTensorPlan[];
  /** Replace an existing file. Default false. */
  readonly overwrite?: boolean;
}

/**
 * Writes a GGUF file front to back. Until `finish` the bytes are in `.<name>.<random>.partial` in the same folder;
 * `finish` flushes them to the disk and then renames the file atomically. After a failure or `abort` no file is left;
 * after a kill -9 at most the partial file.
 */
export class GgufWriter {
  readonly path: string;
  /** Size of the finished file. */
  readonly totalBytes: number;
  readonly #partialPath: string;
  readonly #tensors: readonly GgufTensorPlan[];
  readonly #overwrite: boolean;
  #file: SequentialFile | null;
  #written = 0;
  /** Index of the tensor being written, and the number of its bytes already written. */
  #current = 0;
  #currentBytes = 0;

  private constructor(
    path: string,
    partialPath: string,
    file: SequentialFile,
    totalBytes: number,
    options: GgufWriterOptions,
  ) {
    this.path = path;
    this.totalBytes = totalBytes;
    this.#partialPath = partialPath;
    this.#file = file;
    this.#tensors = options.tensors;
    this.#overwrite = options.overwrite ?? false;
  }

  /** Create the partial file and write the header. Throws `target_exists`, `disk_full`, `not_found`, `io`. */
  static async create(path: string, options: GgufWriterOptions): Promise<GgufWriter> {
    checkTarget(path, options.overwrite ?? false);
    const header = ggufHeaderBytes(options.metadata, options.tensors);
    const dataBytes = options.tensors.reduce((sum, tensor) => align(sum + planBytes(tensor), GGUF_ALIGNMENT), 0);
    const totalBytes = header.byteLength + dataBytes;
    await checkSpace(path, totalBytes);
    const partialPath = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);
    let file: SequentialFile;
    try {
      file = await SequentialFile.create(partialPath, { ...options, sizeBytes: totalBytes });
    } catch (error) {
      throw writeError(path, error);
    }
    const writer = new GgufWriter(path, partialPath, file, totalBytes, options);
    try {
      await writer.#append(header);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    return writer;
  }

  get writtenBytes(): number {
    return this.#written;
  }

  /** Append bytes of the current tensor; adds padding at its end. Throws `malformed` past a tensor's end. */
  async write(bytes: Uint8Array): Promise<void> {
    const plan = this.#tensors[this.#current];
    const size = plan === undefined ? 0 : planBytes(plan);
    if (this.#currentBytes + bytes.byteLength > size) {
      const got = `${this.#currentBytes + bytes.byteLength} bytes`;
      throw new CheckpointError(
        'malformed',
        { file: this.path, tensor: plan?.name ?? '(end)' },
        `expected ${size} bytes, got ${got}`,
      );
    }
    await this.#append(bytes);
    this.#currentBytes += bytes.byteLength;
    if (this.#currentBytes === size) {
      this.#current++;
      this.#currentBytes = 0;
      const padding = align(size, GGUF_ALIGNMENT) - size;
      if (padding > 0) await this.#append(new Uint8Array(padding));
    }
  }

  /** Flush to the disk and rename to the final name. Throws `malformed` when tensors are missing, `target_exists`, `io`. */
  async finish(): Promise<void> {
    const missing = this.#tensors[this.#current];
    if (missing !== undefined) {
      await this.abort();
      throw new CheckpointError(
        'malformed',
        { file: this.path, tensor: missing.name },
        'expected all bytes of this tensor before the end',
      );
    }
    try {
      await this.#file?.finish();
      this.#file = null;
      await moveIntoPlace(this.#partialPath, this.path, this.#overwrite);
    } catch (error) {
      await this.abort();
      throw error instanceof CheckpointError ? error : writeError(this.path, error);
    }
    await syncFolder(dirname(this.path));
  }

  /** Close and remove the partial file. Idempotent; does nothing after `finish`. */
  async abort(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    try {
      await file?.close();
    } finally {
      await rm(this.#partialPath, { force: true });
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const file = this.#file;
    if (file === null) throw new CheckpointError('closed', { file: this.path }, 'the writer is closed');
    try {
      await file.append(bytes);
    } catch (error) {
      throw writeError(this.path, error);
    }
    this.#written += bytes.byteLength;
  }
}

/**
 * Refuses to replace a file without `overwrite`, and never replaces anything but a regular file: not `/dev/null`, a folder,
 * or a symbolic link, which would be replaced instead of followed.
 */
function checkTarget(path: string, overwrite: boolean): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isFile()) {
    const got = stats.isSymbolicLink() ? 'a symbolic link; name the file that it points to' : kindOf(stats);
    throw new CheckpointError('target_not_a_file', { file: path }, `expected a regular file or none, found ${got}`);
  }
  if (!overwrite) throw targetExists(path);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'a device' : 'a pipe or socket';
}

async function moveIntoPlace(partialPath: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) {
    checkTarget(path, overwrite);
    await rename(partialPath, path);
    return;
  }
  try {
    // Unlike rename, link never replaces a file that another process has created meanwhile.
    await link(partialPath, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' || existsSync(path)) throw targetExists(path);
    // FAT and some network disks have no hard links.
    await rename(partialPath, path);
    return;
  }
  await rm(partialPath);
}

/** Fsync the folder, so that the rename survives a power failure. Windows cannot open folders and does not need it. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'EISDIR' && code !== 'EPERM' && code !== 'EACCES' && code !== 'EINVAL')
      throw writeError(folder, error);
  }
}

async function checkSpace(path: string, neededBytes: number): Promise<void> {
  const folder = dirname(path);
  let freeBytes: number;
  try {
    const { bavail, bsize } = await statfs(folder);
    freeBytes = bavail * bsize;
  } catch (error) {
    throw writeError(path, error);
  }
  if (freeBytes < neededBytes) {
    throw new CheckpointError(
      'disk_full',
      { file: path },
      `expected ${neededBytes} free bytes in its folder, got ${freeBytes}`,
    );
  }
}

function targetExists(path: string): CheckpointError {
  return new CheckpointError(
    'target_exists',
    { file: path },
    'expected no such file, found one; allow overwriting or choose another name',
  );
}

export function writeError(path: string, cause: unknown): CheckpointError {
  const code = errnoOf(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CheckpointError('disk_full', { file: path }, 'the disk is full', { cause });
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CheckpointError('not_found', { file: path }, 'expected its folder to exist', { cause });
  }
  return new CheckpointError('io', { file: path }, `could not write (${code ?? String(cause)})`, { cause });
}
