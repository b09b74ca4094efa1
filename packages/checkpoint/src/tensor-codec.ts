import { decodeBfloat, decodeHalf, encodeBfloat, encodeHalf } from './float-format.ts';
import { dequantise } from './gguf/dequantise.ts';
import type { FloatType, TensorType } from './tensor-type.ts';

/** Stored bytes to numbers, filling `target`. `bytes` starts at a multiple of four in its buffer. */
export function decodeWeights(type: TensorType, bytes: Uint8Array, target: Float32Array): void {
  if (type === 'f32') target.set(new Float32Array(bytes.buffer, bytes.byteOffset, target.length));
  else if (type === 'f16') decodeHalf(new Uint16Array(bytes.buffer, bytes.byteOffset, target.length), target);
  else if (type === 'bf16') decodeBfloat(new Uint16Array(bytes.buffer, bytes.byteOffset, target.length), target);
  else dequantise(type, bytes, target);
}

/**
 * Numbers to stored bytes, rounded to nearest even; `target` is aligned like the source of {@link decodeWeights}.
 * Returns the index of the first finite number that does not fit, or -1.
 */
export function encodeWeights(type: FloatType, source: Float32Array, target: Uint8Array): number {
  switch (type) {
    case 'f32':
      new Float32Array(target.buffer, target.byteOffset, source.length).set(source);
      return -1;
    case 'f16':
      return encodeHalf(source, new Uint16Array(target.buffer, target.byteOffset, source.length));
    case 'bf16':
      return encodeBfloat(source, new Uint16Array(target.buffer, target.byteOffset, source.length));
    default:
      return type satisfies never;
  }
}
