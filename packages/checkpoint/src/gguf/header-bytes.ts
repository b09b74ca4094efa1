import { rowBytes, rowsOf, TENSOR_TYPES, type TensorType } from '../tensor-type.ts';
import {
  align,
  GGUF_ALIGNMENT,
  GGUF_ARRAY_ID,
  GGUF_ITEM_TYPES,
  GGUF_MAGIC,
  GGUF_VERSION,
  type GgufItemType,
  type GgufMetadata,
} from './metadata.ts';

/** A tensor to be written. */
export interface GgufTensorPlan {
  readonly name: string;
  /** Row-major, slowest first. */
  readonly shape: readonly number[];
  readonly type: TensorType;
}

/** Bytes of a tensor's data, without padding. */
export function planBytes({ shape, type }: GgufTensorPlan): number {
  const { rows, rowLength } = rowsOf(shape);
  return rows * rowBytes(type, rowLength);
}

/** Everything before the tensor data, padded: magic, counts, metadata, tensor infos with offsets without gaps. */
export function ggufHeaderBytes(metadata: GgufMetadata, tensors: readonly GgufTensorPlan[]): Uint8Array {
  const sink = new ByteSink();
  sink.uint32(GGUF_MAGIC);
  sink.uint32(GGUF_VERSION);
  sink.uint64(BigInt(tensors.length));
  sink.uint64(BigInt(metadata.size));
  for (const [key, entry] of metadata) {
    sink.string(key);
    if (entry.type === 'array') {
      sink.uint32(GGUF_ARRAY_ID);
      sink.uint32(GGUF_ITEM_TYPES[entry.of].id);
      sink.uint64(BigInt(entry.value.length));
      for (const item of entry.value) sink.item(entry.of, item);
    } else {
      sink.uint32(GGUF_ITEM_TYPES[entry.type].id);
      sink.item(entry.type, entry.value);
    }
  }
  let offset = 0;
  for (const tensor of tensors) {
    sink.string(tensor.name);
    sink.uint32(tensor.shape.length);
    for (const size of [...tensor.shape].reverse()) sink.uint64(BigInt(size));
    sink.uint32(TENSOR_TYPES[tensor.type].id);
    sink.uint64(BigInt(offset));
    offset = align(offset + planBytes(tensor), GGUF_ALIGNMENT);
  }
  return sink.bytes(GGUF_ALIGNMENT);
}

const UTF8 = new TextEncoder();

/** A growing little-endian buffer. */
class ByteSink {
  #bytes = new Uint8Array(1 << 20);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  uint64(value: bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value, true);
  }

  string(text: string): void {
    // At most three bytes for a unit of UTF-16; what is left over is given back.
    const at = this.#reserve(8 + 3 * text.length);
    const { written } = UTF8.encodeInto(text, this.#bytes.subarray(at + 8));
    this.#view.setBigUint64(at, BigInt(written), true);
    this.#length = at + 8 + written;
  }

  item(type: GgufItemType, value: number | bigint | boolean | string): void {
    if (type === 'string') {
      this.string(String(value));
      return;
    }
    const at = this.#reserve(GGUF_ITEM_TYPES[type].bytes);
    if (type === 'uint64' || type === 'int64') this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    else if (type === 'float32') this.#view.setFloat32(at, Number(value), true);
    else if (type === 'float64') this.#view.setFloat64(at, Number(value), true);
    else if (type === 'uint32' || type === 'int32') this.#view.setUint32(at, Number(value), true);
    else if (type === 'uint16' || type === 'int16') this.#view.setUint16(at, Number(value), true);
    else this.#view.setUint8(at, Number(value));
  }

  /** All bytes written, zero-padded to a multiple of `alignment`. */
  bytes(alignment: number): Uint8Array {
    this.#reserve(align(this.#length, alignment) - this.#length);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Reserve `count` bytes and return their offset. May reallocate the buffer: read buffer and view only afterwards. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.byteLength));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}
