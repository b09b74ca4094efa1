/**
 * A GGUF file whose tensors arrive in any order, from one file of weights after the other: `NAME.part` of its full size, and
 * `NAME.state`, which lists what is on the disk for good. A file of weights is listed after its tensors have been flushed,
 * so that the list is true after `kill -9` and after a loss of power, and the file can go.
 */
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CheckpointError } from '../checkpoint-error.ts';
import { type GgufTensorPlan, ggufHeaderBytes, planBytes } from '../gguf/header-bytes.ts';
import { align, GGUF_ALIGNMENT, type GgufMetadata } from '../gguf/metadata.ts';
import { syncFolder, writeError } from '../gguf/writer.ts';
import type { TensorWriter } from '../transfer.ts';

/** What the list says. */
export interface PartialState {
  /** Type of the source's matrices, which is part of the header. */
  readonly sourceType: string;
  /** GGUF names of the tensors that every file of weights gave. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

export interface PartialGgufOptions {
  readonly sourceType: string;
  readonly metadata: GgufMetadata;
  readonly tensors: readonly GgufTensorPlan[];
}

/** The list of an earlier process; null: there is none, or a damaged one. */
export async function readPartialState(path: string): Promise<PartialState | null> {
  const text = await readFile(`${path}.state`, 'utf8').catch(() => null);
  try {
    return text === null ? null : toState(JSON.parse(text));
  } catch {
    return null;
  }
}

function toState(value: unknown): PartialState | null {
  const { sourceType, files }: { readonly sourceType?: unknown; readonly files?: unknown } = Object(value);
  if (typeof sourceType !== 'string' || typeof files !== 'object' || files === null) return null;
  const lists: readonly unknown[] = Object.values(files);
  const isList = (list: unknown): boolean => Array.isArray(list) && list.every((name) => typeof name === 'string');
  return lists.every(isList) ? { sourceType, files: files as PartialState['files'] } : null;
}

export class PartialGguf implements TensorWriter {
  readonly path: string;
  readonly totalBytes: number;
  readonly #handle: FileHandle;
  readonly #places: ReadonlyMap<string, { readonly offset: number; readonly sizeBytes: number }>;
  #state: PartialState;
  #tensor = '';
  /** Written bytes of that tensor, and of all. */
  #at = 0;
  #writtenBytes: number;
  #safeBytes: number;

  private constructor(
    path: string,
    handle: FileHandle,
    { places, totalBytes }: Layout,
    { state, writtenBytes }: { readonly state: PartialState; readonly writtenBytes: number },
  ) {
    this.path = path;
    this.totalBytes = totalBytes;
    this.#handle = handle;
    this.#places = places;
    this.#state = state;
    this.#writtenBytes = writtenBytes;
    this.#safeBytes = writtenBytes;
  }

  /** Go on with what an earlier process left of the same file, or begin. Throws `disk_full`, `not_found`, `io`. */
  static async open(path: string, options: PartialGgufOptions): Promise<PartialGguf> {
    const layout = layOut(options);
    const { header, places, totalBytes } = layout;
    try {
      const left = await readPartialState(path);
      const isSame = left !== null && (await startsWith(`${path}.part`, header, totalBytes));
      const state = isSame ? left : { sourceType: options.sourceType, files: {} };
      // The old list must not speak for a new file.
      if (!isSame) await removePartial(path);
      const handle = await open(`${path}.part`, isSame ? 'r+' : 'w+', 0o600);
      try {
        if (!isSame) {
          await handle.truncate(totalBytes);
          await handle.write(header, 0, header.byteLength, 0);
          await handle.sync();
          await writeState(path, state);
        }
      } catch (error) {
        await handle.close();
        throw error;
      }
      const names = new Set(Object.values(state.files).flat());
      const writtenBytes = [...names].reduce(
        (sum, name) => sum + (places.get(name)?.sizeBytes ?? 0),
        header.byteLength,
      );
      return new PartialGguf(path, handle, layout, { state, writtenBytes });
    } catch (error) {
      throw writeError(path, error);
    }
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get sourceType(): string {
    return this.#state.sourceType;
  }

  /** Names of the files of weights whose tensors are on the disk. */
  get files(): readonly string[] {
    return Object.keys(this.#state.files);
  }

  /** The last file of weights, by name, that gave a tensor; null: none has. */
  fileOf(tensor: string): string | null {
    const files = Object.entries(this.#state.files).flatMap(([file, tensors]) =>
      tensors.includes(tensor) ? [file] : [],
    );
    return files.sort().at(-1) ?? null;
  }

  /** What has been written since the last commit does not count: tensors begin anew. */
  begin(): void {
    this.#tensor = '';
    this.#writtenBytes = this.#safeBytes;
  }

  /** Append bytes to a tensor; a call for another tensor begins that one anew. */
  async write(bytes: Uint8Array, tensor: string): Promise<void> {
    if (tensor !== this.#tensor) [this.#tensor, this.#at] = [tensor, 0];
    const place = this.#places.get(tensor);
    if (place === undefined || this.#at + bytes.byteLength > place.sizeBytes) {
      const got = this.#at + bytes.byteLength;
      throw new CheckpointError(
        'malformed',
        { file: this.path, tensor },
        `expected ${place?.sizeBytes ?? 0} bytes, got ${got}`,
      );
    }
    const from = place.offset + this.#at;
    try {
      for (let done = 0; done < bytes.byteLength; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.byteLength - done, from + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw writeError(this.path, error);
    }
    this.#at += bytes.byteLength;
    this.#writtenBytes += bytes.byteLength;
  }

  /** The tensors of a file of weights have been written: make them safe. */
  async commit(file: string, tensors: readonly string[]): Promise<void> {
    try {
      await this.#handle.datasync();
      this.#state = { ...this.#state, files: { ...this.#state.files, [file]: tensors } };
      await writeState(this.path, this.#state);
      this.#safeBytes = this.#writtenBytes;
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** Give the complete file its name. Throws `missing_tensor` where no file of weights had one of `needed`. */
  async finish(needed: readonly string[]): Promise<void> {
    const present = new Set(Object.values(this.#state.files).flat());
    const missing = needed.find((name) => !present.has(name));
    if (missing !== undefined) {
      throw new CheckpointError(
        'missing_tensor',
        { file: this.path, tensor: missing },
        `expected it in one of ${this.files.join(', ')}, found it in none`,
      );
    }
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(`${this.path}.part`, this.path);
      await syncFolder(dirname(this.path));
      await rm(`${this.path}.state`, { force: true });
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** What is safe stays for the next process. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Remove what {@link PartialGguf.open} would go on with. */
async function removePartial(path: string): Promise<void> {
  await rm(`${path}.state`, { force: true });
  await rm(`${path}.part`, { force: true });
}

interface Layout {
  readonly header: Uint8Array;
  readonly places: ReadonlyMap<string, { readonly offset: number; readonly sizeBytes: number }>;
  readonly totalBytes: number;
}

function layOut({ metadata, tensors }: PartialGgufOptions): Layout {
  const header = ggufHeaderBytes(metadata, tensors);
  const places = new Map<string, { readonly offset: number; readonly sizeBytes: number }>();
  let end = header.byteLength;
  for (const tensor of tensors) {
    const sizeBytes = planBytes(tensor);
    places.set(tensor.name, { offset: end, sizeBytes });
    end = align(end + sizeBytes, GGUF_ALIGNMENT);
  }
  return { header, places, totalBytes: end };
}

async function startsWith(path: string, header: Uint8Array, sizeBytes: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found?.size !== sizeBytes) return false;
  const file = await open(path, 'r');
  try {
    const start = new Uint8Array(header.byteLength);
    const { bytesRead } = await file.read(start, 0, start.byteLength, 0);
    return bytesRead === start.byteLength && Buffer.compare(start, header) === 0;
  } finally {
    await file.close();
  }
}

/** In one piece: written beside its place, flushed, renamed. */
async function writeState(path: string, state: PartialState): Promise<void> {
  const temporary = `${path}.state.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(state));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, `${path}.state`);
  await syncFolder(dirname(path));
}
