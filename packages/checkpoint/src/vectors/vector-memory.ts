/**
 * Arrays that are worked on with the vectors of WebAssembly, in place: three to six times as fast as loops of JavaScript, on
 * every processor. The functions of `native/arrays.c` are called by those of the same meaning in TypeScript (`transpose`,
 * `decodeHalf`, `firstNonFinite`, …) where all arrays of a call lie in one such memory.
 */
import { MODULE_BASE64 } from './module-bytes.ts';

/** Functions of the module. Addresses are the `byteOffset` of an array. */
export interface Vectors {
  transpose16(from: number, to: number, columns: number, rows: number, columnDistance: number, rowLength: number): void;
  transpose32(from: number, to: number, columns: number, rows: number, columnDistance: number, rowLength: number): void;
  has_non_finite16(from: number, count: number, exponent: number): number;
  has_non_finite32(from: number, count: number): number;
  /** Counts of the following are multiples of eight. */
  encode_half(from: number, to: number, count: number): void;
  decode_half(from: number, to: number, count: number): void;
  decode_bfloat(from: number, to: number, count: number): void;
  is_half_exact(from: number, count: number): number;
}

const PAGE_BYTES = 65536;
/** A cache line. */
const ALIGNMENT = 64;

const vectorsByBuffer = new WeakMap<ArrayBufferLike, Vectors>();

/** Those for arrays that lie in one memory; null where one lies elsewhere. */
export function vectorsFor(first: ArrayBufferView, ...others: readonly ArrayBufferView[]): Vectors | null {
  const vectors = vectorsByBuffer.get(first.buffer);
  return vectors !== undefined && others.every(({ buffer }) => buffer === first.buffer) ? vectors : null;
}

/**
 * A memory of fixed size, from which arrays are taken until it is used up, and from then on from anywhere, as on a machine
 * without vectors. Pages take room when they are first written. All of it is collected together.
 */
export class VectorMemory {
  readonly #maxBytes: number;
  #buffer: ArrayBufferLike | null | undefined;
  /** The first page is the module's. */
  #end = PAGE_BYTES;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are zero at first, aligned to a cache line where they can be. */
  take(sizeBytes: number): Uint8Array {
    if (this.#buffer === undefined) this.#buffer = reserve(this.#maxBytes + PAGE_BYTES);
    const end = this.#end + ALIGNMENT * Math.ceil(sizeBytes / ALIGNMENT);
    if (this.#buffer === null || end > this.#buffer.byteLength) return new Uint8Array(sizeBytes);
    const bytes = new Uint8Array(this.#buffer, this.#end, sizeBytes);
    this.#end = end;
    return bytes;
  }
}

/** What of `WebAssembly` is used here: the types of Node have it not. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: unknown) => { readonly exports: unknown };
}

let compiled: object | undefined;

/** Null: a process without WebAssembly, a processor without vectors, or no room for the addresses. */
function reserve(sizeBytes: number): ArrayBufferLike | null {
  const api: WebAssemblyApi | undefined = Reflect.get(globalThis, 'WebAssembly');
  if (api === undefined) return null;
  try {
    compiled ??= new api.Module(Buffer.from(MODULE_BASE64, 'base64'));
    const pages = Math.ceil(sizeBytes / PAGE_BYTES);
    const memory = new api.Memory({ initial: pages, maximum: pages });
    const { exports } = new api.Instance(compiled, { env: { memory } });
    vectorsByBuffer.set(memory.buffer, exports as Vectors);
    return memory.buffer;
  } catch {
    return null;
  }
}
