import { PickleError, type PickleErrorCode } from './pickle-error.ts';
import { decodeUtf8 } from './utf8.ts';

/** Reads the arguments of opcodes. Never reads past the input: a length beyond its end throws `truncated` before any allocation. */
export class ByteSource {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #opcodeAt = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** Where the current opcode starts. */
  get opcodeAt(): number {
    return this.#opcodeAt;
  }

  fail(code: PickleErrorCode, message: string): never {
    throw new PickleError(code, message, this.#opcodeAt);
  }

  opcode(): number {
    this.#opcodeAt = this.#at;
    return this.u8();
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** A 64-bit length. Rounded above 2^53, which is far past the end of any input. */
  u64(): number {
    const at = this.#advance(8);
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** Big-endian, unlike all other numbers of the format. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  text(length: number): string {
    const at = this.#advance(length);
    return this.#decode(at, at + length);
  }

  /** Text up to a line feed, which is consumed. */
  line(): string {
    const from = this.#at;
    const end = this.#bytes.indexOf(0x0a, from);
    if (end < 0) this.fail('truncated', 'expected a line feed, got the end of the input; send the whole pickle');
    this.#at = end + 1;
    return this.#decode(from, end);
  }

  /** Two's complement, little-endian; no bytes are 0. */
  integer(length: number): bigint {
    const at = this.#advance(length);
    if (length === 0) return 0n;
    let hex = '';
    for (let byte = at + length - 1; byte >= at; byte -= 1)
      hex += this.#view.getUint8(byte).toString(16).padStart(2, '0');
    return BigInt.asIntN(8 * length, BigInt(`0x${hex}`));
  }

  /** Checks that `length` bytes follow, without reading them. */
  require(length: number): void {
    if (length > this.remaining) {
      this.fail('truncated', `expected ${length} more bytes, got ${this.remaining}; send the whole pickle`);
    }
  }

  #advance(length: number): number {
    this.require(length);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  #decode(from: number, to: number): string {
    const text = decodeUtf8(this.#bytes.subarray(from, to));
    return text ?? this.fail('invalid_utf8', 'expected a string in UTF-8, got other bytes');
  }
}
