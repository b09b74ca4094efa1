import type { BoundedFile } from './bounded-file.ts';
import { CheckpointError } from './checkpoint-error.ts';

const WINDOW_BYTES = 256 * 1024;

/** Reads small fields of a file one after another through a window. */
export class FileCursor {
  readonly #file: BoundedFile;
  #window = new Uint8Array(0);
  #windowOffset = 0;
  #at: number;

  constructor(file: BoundedFile, offset: number) {
    this.#file = file;
    this.#at = offset;
  }

  get offset(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#file.sizeBytes;
  }

  /** Throws `truncated`, `io`. */
  async int32(): Promise<number> {
    const bytes = await this.bytes(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
  }

  /** A count or a length from `min` to `max`. Throws `malformed` for another one. */
  async count(what: string, min: number, max: number): Promise<number> {
    const value = await this.int32();
    if (value < min || value > max) {
      throw new CheckpointError(
        'malformed',
        { file: this.#file.path },
        `${what}: expected ${min} to ${max}, got ${value} at byte ${this.#at - 4}`,
      );
    }
    return value;
  }

  /** Valid until the next call; at most 256 KiB. */
  async bytes(count: number): Promise<Uint8Array> {
    const start = this.#at - this.#windowOffset;
    if (start < 0 || start + count > this.#window.byteLength) {
      const size = Math.max(count, Math.min(WINDOW_BYTES, this.#file.sizeBytes - this.#at));
      const window = new Uint8Array(size);
      await this.#file.read(this.#at, window);
      this.#window = window;
      this.#windowOffset = this.#at;
      return this.bytes(count);
    }
    this.#at += count;
    return this.#window.subarray(start, start + count);
  }

  /** Throws `truncated` past the end of the file. */
  skip(count: number, what: string): void {
    if (this.#at + count > this.#file.sizeBytes) {
      throw new CheckpointError(
        'truncated',
        { file: this.#file.path, tensor: what },
        `expected data up to byte ${this.#at + count}, got a file of ${this.#file.sizeBytes} bytes`,
      );
    }
    this.#at += count;
  }
}
