import { CheckpointError } from '../checkpoint-error.ts';
import { GGUF_ITEM_TYPES, type GgufItemType, type GgufValue } from './metadata.ts';

/** Maximum number of items in one array. Vocabularies have up to 300,000. */
const MAX_ARRAY_ITEMS = 1 << 21;

/** The header continues past the bytes that were read. */
export class NeedMoreBytes extends Error {
  override readonly name = 'NeedMoreBytes';
}

/** Reads GGUF's primitives one after another from the first bytes of a file. Counts are checked before allocating. */
export class ByteCursor {
  readonly #file: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Whether the file continues after the bytes that were read. */
  readonly #more: boolean;
  #at = 0;
  #itemsLeft = 2 * MAX_ARRAY_ITEMS;

  constructor(file: string, bytes: Uint8Array, more: boolean) {
    this.#file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#more = more;
  }

  get offset(): number {
    return this.#at;
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A 64-bit count of `what`, at most `max`. */
  count(what: string, max: number): number {
    const value = this.uint64();
    if (value > BigInt(max)) {
      throw new CheckpointError('too_large', { file: this.#file }, `${what}: expected at most ${max}, got ${value}`);
    }
    return Number(value);
  }

  /** A string of bounded length in bytes; bytes that are not UTF-8 become U+FFFD. */
  string(what: string, mostBytes: number): string {
    const length = this.count(`length of ${what}`, mostBytes);
    const at = this.#take(length);
    return DECODER.decode(this.#bytes.subarray(at, at + length));
  }

  array(of: GgufItemType, key: string, mostStringBytes: number): GgufValue {
    const count = this.count(`items of ${key}`, Math.min(MAX_ARRAY_ITEMS, this.#itemsLeft));
    this.#itemsLeft -= count;
    this.#require(count * GGUF_ITEM_TYPES[of].bytes);
    const items = <T>(read: () => T): T[] => Array.from({ length: count }, read);
    if (of === 'string') return { type: 'array', of, value: items(() => this.string(key, mostStringBytes)) };
    if (of === 'bool') return { type: 'array', of, value: items(() => this.bool()) };
    if (of === 'uint64') return { type: 'array', of, value: items(() => this.uint64()) };
    if (of === 'int64') return { type: 'array', of, value: items(() => this.int64()) };
    return { type: 'array', of, value: items(() => this.number(of)) };
  }

  bool(): boolean {
    return this.#view.getUint8(this.#take(1)) !== 0;
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  number(type: Exclude<GgufItemType, 'bool' | 'string' | 'uint64' | 'int64'>): number {
    const at = this.#take(GGUF_ITEM_TYPES[type].bytes);
    switch (type) {
      case 'uint8':
        return this.#view.getUint8(at);
      case 'int8':
        return this.#view.getInt8(at);
      case 'uint16':
        return this.#view.getUint16(at, true);
      case 'int16':
        return this.#view.getInt16(at, true);
      case 'uint32':
        return this.#view.getUint32(at, true);
      case 'int32':
        return this.#view.getInt32(at, true);
      case 'float32':
        return this.#view.getFloat32(at, true);
      case 'float64':
        return this.#view.getFloat64(at, true);
      default:
        return type satisfies never;
    }
  }

  #take(count: number): number {
    this.#require(count);
    const at = this.#at;
    this.#at += count;
    return at;
  }

  #require(count: number): void {
    if (this.#at + count <= this.#bytes.byteLength) return;
    if (this.#more) throw new NeedMoreBytes();
    throw new CheckpointError(
      'truncated',
      { file: this.#file },
      `expected ${count} bytes of header at ${this.#at}, got a file of ${this.#bytes.byteLength} bytes`,
    );
  }
}

/** A token may begin with U+FEFF. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
