/**
 * Quantised blocks back to numbers: the layouts of ggml-common.h, llama.cpp v0.5.0. Written for clarity: only the
 * reference engine uses it; llama.cpp computes on the blocks themselves.
 */
import { halfToFloat } from '../float-format.ts';
import { type QuantisedType, TENSOR_TYPES } from '../tensor-type.ts';

/** Writes one block's weights to `target` from index `out` on. */
type BlockReader = (view: DataView, at: number, target: Float32Array, out: number) => void;

const BLOCK_READERS: Readonly<Record<QuantisedType, BlockReader>> = {
  q4_0: readQ4,
  q5_0: (view, at, target, out) => readQ5(view, at + 2, half(view, at), null, target, out),
  q5_1: (view, at, target, out) => readQ5(view, at + 4, half(view, at), half(view, at + 2), target, out),
  q8_0: readQ8,
  q4_K: (view, at, target, out) => readQ4or5K(view, at, null, at + 16, target, out),
  q5_K: (view, at, target, out) => readQ4or5K(view, at, at + 16, at + 48, target, out),
  q6_K: readQ6K,
};

/** Decode whole blocks until `target` is full. */
export function dequantise(type: QuantisedType, bytes: Uint8Array, target: Float32Array): void {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = BLOCK_READERS[type];
  for (let block = 0; block < target.length / blockSize; block++)
    read(view, block * blockBytes, target, block * blockSize);
}

function half(view: DataView, at: number): number {
  return halfToFloat(view.getUint16(at, true));
}

/** Scale, then 32 signed bytes. */
function readQ8(view: DataView, at: number, target: Float32Array, out: number): void {
  const scale = half(view, at);
  for (let i = 0; i < 32; i++) target[out + i] = scale * view.getInt8(at + 2 + i);
}

/** Scale, then 16 bytes: low nibbles are weights 0 to 15, high ones 16 to 31, all offset by 8. */
function readQ4(view: DataView, at: number, target: Float32Array, out: number): void {
  const scale = half(view, at);
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(at + 2 + i);
    target[out + i] = scale * ((byte & 15) - 8);
    target[out + 16 + i] = scale * ((byte >> 4) - 8);
  }
}

/** 32 fifth bits, then nibbles as in q4_0. Without a minimum, 16 stands for zero. */
function readQ5(
  view: DataView,
  at: number,
  scale: number,
  min: number | null,
  target: Float32Array,
  out: number,
): void {
  const weight = (bits: number): number => (min === null ? scale * (bits - 16) : scale * bits + min);
  const high = view.getUint32(at, true);
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(at + 4 + i);
    target[out + i] = weight((byte & 15) | (((high >>> i) & 1) << 4));
    target[out + 16 + i] = weight((byte >> 4) | (((high >>> (i + 16)) & 1) << 4));
  }
}

/**
 * Eight sub-blocks of 32, each with a 6-bit scale and a 6-bit minimum, packed in 12 bytes after the two halves that
 * scale them. Sub-blocks 2i and 2i + 1 are the low and the high nibbles of the same 32 bytes.
 */
function readQ4or5K(
  view: DataView,
  at: number,
  highAt: number | null,
  lowAt: number,
  target: Float32Array,
  out: number,
): void {
  const scaleOfScales = half(view, at);
  const scaleOfLeasts = half(view, at + 2);
  for (let sub = 0; sub < 8; sub++) {
    const [scale6, least6] = packedScale(view, at + 4, sub);
    const scale = Math.fround(scaleOfScales * scale6);
    const min = Math.fround(scaleOfLeasts * least6);
    for (let i = 0; i < 32; i++) {
      const low = (view.getUint8(lowAt + (sub >> 1) * 32 + i) >> (4 * (sub & 1))) & 15;
      const high = highAt === null ? 0 : ((view.getUint8(highAt + i) >> sub) & 1) << 4;
      target[out + sub * 32 + i] = scale * (low | high) - min;
    }
  }
}

/** Bytes 0 to 3: scales 0 to 3; 4 to 7: minima 0 to 3; 8 to 11: low nibbles of the others, whose top bits fill up the first eight. */
function packedScale(view: DataView, at: number, sub: number): readonly [scale: number, min: number] {
  const byte = (i: number): number => view.getUint8(at + i);
  if (sub < 4) return [byte(sub) & 63, byte(sub + 4) & 63];
  return [(byte(sub + 4) & 15) | ((byte(sub - 4) >> 6) << 4), (byte(sub + 4) >> 4) | ((byte(sub) >> 6) << 4)];
}

/** 128 bytes of low nibbles, 64 of high bit pairs, 16 signed scales (one per 16 weights), the scale of scales; offset 32. */
function readQ6K(view: DataView, at: number, target: Float32Array, out: number): void {
  const scaleOfScales = half(view, at + 208);
  for (let i = 0; i < 256; i++) {
    const side = i >> 7;
    const quarter = (i >> 5) & 3;
    const lane = i & 31;
    const low = (view.getUint8(at + side * 64 + (quarter & 1) * 32 + lane) >> (4 * (quarter >> 1))) & 15;
    const high = (view.getUint8(at + 128 + side * 32 + lane) >> (2 * quarter)) & 3;
    const scale = Math.fround(scaleOfScales * view.getInt8(at + 192 + (i >> 4)));
    target[out + i] = scale * ((low | (high << 4)) - 32);
  }
}
