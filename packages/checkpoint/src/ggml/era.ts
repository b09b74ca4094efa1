/**
 * The three eras of ggml's block formats before GGUF, from ggml's git history (`ggml.c` at fe48e22f^, fe48e22f and b0d536bb):
 *
 * - v0 (to 14 May 2023): byte j of a block holds elements 2j (low nibble) and 2j + 1; bit l of the fifth bits is element l.
 * - v1: byte j holds elements j and j + 16, as today; the scales of q4_0, q4_1 and q8_0 are still float32.
 * - v2 (from 20 May 2023): the blocks of GGUF.
 */
import { halfToFloat } from '../float-format.ts';
import { TENSOR_TYPES, type TensorType } from '../tensor-type.ts';

export type GgmlEra = 0 | 1 | 2;

export const GGML_ERAS: readonly GgmlEra[] = [0, 1, 2];

/** How the weights of one tensor are stored. */
export interface GgmlType {
  /** `q4_0`, by ggml's name. */
  readonly name: string;
  readonly blockSize: number;
  readonly blockBytes: number;
  /** The type of GGUF with the same blocks; null where blocks have to be decoded. */
  readonly same: TensorType | null;
  /** Writes one block's weights to `target` from index `out` on. */
  readonly decode: BlockDecoder;
}

type BlockDecoder = (view: DataView, at: number, target: Float32Array, out: number) => void;

const half = (view: DataView, at: number): number => halfToFloat(view.getUint16(at, true));
const single = (view: DataView, at: number): number => view.getFloat32(at, true);

/** Puts the low and the high nibble of byte `j` of a block of `size` weights at these positions. */
interface NibbleOrder {
  readonly low: (j: number, size: number) => number;
  readonly high: (j: number, size: number) => number;
}

const INTERLEAVED: NibbleOrder = { low: (j) => 2 * j, high: (j) => 2 * j + 1 };
const HALVES: NibbleOrder = { low: (j) => j, high: (j, size) => j + size / 2 };

interface NibbleBlock {
  readonly size: number;
  readonly order: NibbleOrder;
  readonly scaleBytes: 2 | 4;
  /** Whether a minimum of the same width follows the scale. Otherwise zero is in the middle of the range. */
  readonly hasMin: boolean;
  /** Whether 32 fifth bits precede the nibbles. */
  readonly hasFifthBits: boolean;
}

function nibbleType(name: string, block: NibbleBlock, same: TensorType | null = null): GgmlType {
  const { size, order, scaleBytes, hasMin, hasFifthBits } = block;
  const read = scaleBytes === 2 ? half : single;
  const fifthAt = scaleBytes * (hasMin ? 2 : 1);
  const nibblesAt = fifthAt + (hasFifthBits ? 4 : 0);
  const middle = hasFifthBits ? 16 : 8;
  return {
    name,
    blockSize: size,
    blockBytes: nibblesAt + size / 2,
    same,
    decode(view, at, target, out) {
      const scale = read(view, at);
      const min = hasMin ? read(view, at + scaleBytes) : 0;
      const fifth = hasFifthBits ? view.getUint32(at + fifthAt, true) : 0;
      const put = (position: number, nibble: number): void => {
        const whole = nibble | (((fifth >>> position) & 1) << 4);
        // ggml rounds the product to float32 before it adds the minimum.
        target[out + position] = hasMin ? Math.fround(scale * whole) + min : scale * (whole - middle);
      };
      for (let j = 0; j < size / 2; j++) {
        const byte = view.getUint8(at + nibblesAt + j);
        put(order.low(j, size), byte & 15);
        put(order.high(j, size), byte >> 4);
      }
    },
  };
}

/** A float32 scale, then 32 signed bytes. */
const WIDE_Q8_0: GgmlType = {
  name: 'q8_0',
  blockSize: 32,
  blockBytes: 36,
  same: null,
  decode(view, at, target, out) {
    const scale = single(view, at);
    for (let i = 0; i < 32; i++) target[out + i] = scale * view.getInt8(at + 4 + i);
  },
};

/** Blocks of GGUF are read by its own decoder. */
function ggufType(name: TensorType): GgmlType {
  const { blockSize, blockBytes } = TENSOR_TYPES[name];
  return { name, blockSize, blockBytes, same: name, decode: () => undefined };
}

const q4 = (order: NibbleOrder, scaleBytes: 2 | 4, hasMin: boolean, size = 32): NibbleBlock => ({
  size,
  order,
  scaleBytes,
  hasMin,
  hasFifthBits: false,
});
const q5 = (hasMin: boolean): NibbleBlock => ({
  size: 32,
  order: INTERLEAVED,
  scaleBytes: 2,
  hasMin,
  hasFifthBits: true,
});

const V0: readonly (readonly [id: number, type: GgmlType])[] = [
  [0, ggufType('f32')],
  [1, ggufType('f16')],
  [2, nibbleType('q4_0', q4(INTERLEAVED, 4, false))],
  [3, nibbleType('q4_1', q4(INTERLEAVED, 4, true))],
  [4, nibbleType('q4_2', q4(INTERLEAVED, 2, false, 16))],
  [5, nibbleType('q4_3', q4(INTERLEAVED, 2, true, 16))],
  [6, nibbleType('q5_0', q5(false))],
  [7, nibbleType('q5_1', q5(true))],
  [8, WIDE_Q8_0],
];

/** One numbering of types. */
export interface GgmlDialect {
  readonly era: GgmlEra;
  readonly types: ReadonlyMap<number, GgmlType>;
}

/** In the order in which they are tried. The second is that of five days in April 2023. */
export const GGML_DIALECTS: readonly GgmlDialect[] = [
  { era: 0, types: new Map(V0) },
  { era: 0, types: new Map([...V0.slice(0, 6), [6, WIDE_Q8_0]]) },
  {
    era: 1,
    types: new Map([
      [0, ggufType('f32')],
      [1, ggufType('f16')],
      [2, nibbleType('q4_0', q4(HALVES, 4, false))],
      [3, nibbleType('q4_1', q4(HALVES, 4, true))],
      [6, ggufType('q5_0')],
      [7, ggufType('q5_1')],
      [8, WIDE_Q8_0],
    ]),
  },
  {
    era: 2,
    types: new Map([
      [0, ggufType('f32')],
      [1, ggufType('f16')],
      [2, ggufType('q4_0')],
      [3, nibbleType('q4_1', q4(HALVES, 2, true))],
      [6, ggufType('q5_0')],
      [7, ggufType('q5_1')],
      [8, ggufType('q8_0')],
      [12, ggufType('q4_K')],
      [13, ggufType('q5_K')],
      [14, ggufType('q6_K')],
    ]),
  },
];
