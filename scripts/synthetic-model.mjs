// Synthetic parts of a GPT-J for the scripts in this folder: a vocabulary of the right size, and random weights of the
// right spread in every storage type. The output is random; loading and computing cost the same as with real weights.
import { randomFillSync } from 'node:crypto';
import { TENSOR_TYPES } from '../packages/checkpoint/dist/index.js';

/** Standard deviation of the weights, as GPT-J is initialised. */
const SPREAD = 0.02;

/**
 * GPT-2's 256 byte characters, 50,000 pairs of them as merges, `<|endoftext|>`: the counts of the real vocabulary.
 * `vocab` maps token to id; with the ids that it lacks, up to 50,399, readers fill in `<|extratoken_N|>`.
 */
export function syntheticVocabulary() {
  const isShown = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let hidden = 0;
  const characters = Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(isShown(byte) ? byte : 256 + hidden++),
  );
  const pairs = characters.flatMap((left) => characters.map((right) => [left, right])).slice(0, 50000);
  const tokens = [...characters, ...pairs.map(([left, right]) => left + right), '<|endoftext|>'];
  return {
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: pairs.map(([left, right]) => `${left} ${right}`),
    tokens,
  };
}

/** About `sizeBytes` of random weights of one type, in whole blocks. */
export function randomBlocks(type, sizeBytes) {
  const { blockBytes } = TENSOR_TYPES[type];
  const bytes = new Uint8Array(Math.floor(sizeBytes / blockBytes) * blockBytes);
  randomFillSync(bytes);
  const view = new DataView(bytes.buffer);
  const write = SCALE_WRITERS[type];
  for (let at = 0; at < bytes.byteLength; at += blockBytes) write(view, at);
  return bytes;
}

// The random bytes serve as the quantised numbers; the scales are overwritten, chosen for the standard deviation of
// uniform numbers of that many bits: (2^bits) / sqrt(12).
const deviation = (bits) => 2 ** bits / Math.sqrt(12);
const setHalf = (view, at, value) => view.setUint16(at, halfBits(value), true);
const setScales = (bits) => (view, at) => {
  // Scale and minimum of all eight sub-blocks are 32: their top bits sit in bytes 0 to 7, the low nibbles are 0.
  const scale = SPREAD / deviation(bits) / 32;
  setHalf(view, at, scale);
  setHalf(view, at + 2, (scale * (2 ** bits - 1)) / 2);
  for (let i = 0; i < 12; i++) view.setUint8(at + 4 + i, i < 8 ? 0xa0 : 0);
};

const SCALE_WRITERS = {
  f32: (view, at) => view.setFloat32(at, (view.getInt32(at, true) / 2 ** 31) * SPREAD * Math.sqrt(3), true),
  // The halves keep sign and fraction and get one exponent: magnitudes from 2^-7 (f16) or 2^-6 (bf16) to twice that.
  f16: (view, at) => view.setUint16(at, (view.getUint16(at, true) & 0x83ff) | 0x2000, true),
  bf16: (view, at) => view.setUint16(at, (view.getUint16(at, true) & 0x807f) | 0x3c80, true),
  q4_0: (view, at) => setHalf(view, at, SPREAD / deviation(4)),
  q5_0: (view, at) => setHalf(view, at, SPREAD / deviation(5)),
  q5_1: (view, at) => {
    setHalf(view, at, SPREAD / deviation(5));
    setHalf(view, at + 2, (-SPREAD / deviation(5)) * 15.5);
  },
  q8_0: (view, at) => setHalf(view, at, SPREAD / deviation(8)),
  q4_K: setScales(4),
  q5_K: setScales(5),
  q6_K: (view, at) => {
    for (let i = 0; i < 16; i++) view.setInt8(at + 192 + i, 16);
    setHalf(view, at + 208, SPREAD / deviation(6) / 16);
  },
};

/** binary16 of a value between 2^-14 and 2 in magnitude, cut off rather than rounded. */
function halfBits(value) {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0];
  return ((bits >>> 16) & 0x8000) | (((bits & 0x7fffffff) - 0x38000000) >> 13);
}
