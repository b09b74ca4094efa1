/**
 * A GPT-J from the shards of mesh-transformer-jax (`to_hf_weights.py`). Every shard has a part of the rows or of the columns of a matrix;
 * biases behind a product that is summed over the shards are sums themselves, here in float32: in bfloat16, as the original
 * sums them, half of them would be rounded.
 */

import { type GptjConfig, gptjTensors } from '@gptj-cloud/model';
import type { BandMemory } from '../band-memory.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { STORED_FLOAT_BYTES } from '../stored-tensor.ts';
import { createRowReader, type RowReader } from '../strided-rows.ts';
import { decodeWeights } from '../tensor-codec.ts';
import { elementCount, type FloatType } from '../tensor-type.ts';
import type { TableWeight } from '../weight-table.ts';
import type { LayerLeaves, Leaf, MeshLeaves } from './leaves.ts';
import type { NpyArray } from './npy.ts';

/** A part of a matrix as rows of the result. */
interface Part {
  readonly array: NpyArray;
  readonly type: FloatType;
  readonly shape: readonly [rows: number, rowLength: number];
  readonly strides: readonly [row: number, column: number];
}

/** Throws `wrong_shape`, `wrong_type`, `malformed`. */
export async function meshWeights(leaves: MeshLeaves, config: GptjConfig): Promise<readonly TableWeight[]> {
  const { embeddingSize: d, feedForwardSize: f, vocabSize: v } = config;
  const shards = leaves.embedding.length;
  const found = new Map<string, TableWeight>();
  const add = (weight: TableWeight): void => void found.set(weight.name, weight);
  const norm = async (name: string, scale: Leaf, offset: Leaf): Promise<void> => {
    add(await equalVector(`${name}.weight`, scale, d));
    add(await equalVector(`${name}.bias`, offset, d));
  };
  add(embedding(leaves, v, d));
  for (const [layer, leaf] of leaves.layers.entries()) await addLayer(`transformer.h.${layer}`, leaf);
  await norm('transformer.ln_f', leaves.norm, leaves.normBias);
  add(byOutputs('lm_head.weight', leaves.head, v, d));
  add(joinedVector('lm_head.bias', leaves.headBias, v / shards, v));
  return gptjTensors(config).map(({ name }) => found.get(name)!);

  async function addLayer(name: string, layer: LayerLeaves): Promise<void> {
    await norm(`${name}.ln_1`, layer.norm, layer.normBias);
    for (const part of ['q', 'k', 'v'] as const) add(byOutputs(`${name}.attn.${part}_proj.weight`, layer[part], d, d));
    add(byInputs(`${name}.attn.out_proj.weight`, layer.out, d, d));
    add(byOutputs(`${name}.mlp.fc_in.weight`, layer.fcIn, f, d));
    add(joinedVector(`${name}.mlp.fc_in.bias`, layer.fcInBias, f / shards, f));
    add(byInputs(`${name}.mlp.fc_out.weight`, layer.fcOut, d, f));
    add(summedVector(`${name}.mlp.fc_out.bias`, layer.fcOutBias, d));
  }
}

/** Shards of [in, out ÷ n]: the result's rows, transposed. */
function byOutputs(name: string, leaf: Leaf, out: number, input: number): TableWeight {
  const rows = out / leaf.length;
  const parts = leaf.map((array) => partOf(name, array, [input, rows], [rows, input], [1, rows]));
  return matrix(name, [out, input], parts, stackRows);
}

/** Shards of [in ÷ n, out]: the result's columns, transposed. */
function byInputs(name: string, leaf: Leaf, out: number, input: number): TableWeight {
  const columns = input / leaf.length;
  const parts = leaf.map((array) => partOf(name, array, [columns, out], [out, columns], [1, out]));
  return matrix(name, [out, input], parts, joinColumns);
}

type Join = (parts: readonly Part[], memory: BandMemory) => RowReader;

function matrix(name: string, shape: readonly number[], parts: readonly Part[], join: Join): TableWeight {
  const type = typeOf(name, parts);
  const sizeBytes = elementCount(shape) * STORED_FLOAT_BYTES[type];
  return { name, shape, type, sizeBytes, openRows: (memory) => join(parts, memory) };
}

/** Shards of [vocabulary ÷ n, width] below one another, with the sum of the biases added to every row: a token is one-hot in one shard. */
function embedding({ embedding: leaf, embeddingBias }: MeshLeaves, vocabSize: number, width: number): TableWeight {
  const name = 'transformer.wte.weight';
  const rows = vocabSize / leaf.length;
  const parts = leaf.map((array) => partOf(name, array, [rows, width], [rows, width], [width, 1]));
  const biases = embeddingBias.map((array) => vectorOf(`${name} (bias)`, array, width));
  const type = typeOf(name, parts);
  const count = vocabSize * width;
  return {
    name,
    shape: [vocabSize, width],
    type: 'f32',
    sizeBytes: count * 4,
    ...(type === 'f32' ? {} : { stored: { type, sizeBytes: count * STORED_FLOAT_BYTES[type] } }),
    openRows(memory) {
      const reader = stackRows(parts, memory);
      let bias: Promise<Float32Array> | null = null;
      return {
        release: reader.release,
        async read(firstRow, target) {
          bias ??= sumOf(biases, width);
          const added = await bias;
          const numbers = new Float32Array(target.buffer, target.byteOffset, target.byteLength / 4);
          const stored = new Uint8Array(numbers.length * STORED_FLOAT_BYTES[type]);
          await reader.read(firstRow, stored);
          decodeWeights(type, stored, numbers);
          for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i]! + added[i % width]!;
        },
      };
    },
  };
}

function joinedVector(name: string, leaf: Leaf, part: number, length: number): TableWeight {
  const parts = leaf.map((array) => vectorOf(name, array, part));
  return vector(name, length, async () => {
    const numbers = new Float32Array(length);
    for (const [i, each] of parts.entries()) await readVector(each, numbers.subarray(i * part, (i + 1) * part));
    return numbers;
  });
}

function summedVector(name: string, leaf: Leaf, length: number): TableWeight {
  const parts = leaf.map((array) => vectorOf(name, array, length));
  return vector(name, length, () => sumOf(parts, length));
}

/** Every shard has the whole vector. Throws `malformed` where they differ. */
async function equalVector(name: string, leaf: Leaf, length: number): Promise<TableWeight> {
  const parts = leaf.map((array) => vectorOf(name, array, length));
  const first = new Float32Array(length);
  await readVector(parts[0]!, first);
  const other = new Float32Array(length);
  for (const [shard, part] of parts.entries()) {
    await readVector(part, other);
    const at = other.findIndex((value, i) => !Object.is(value, first[i]));
    if (at < 0) continue;
    throw new CheckpointError(
      'malformed',
      { file: part.array.source.path, tensor: name },
      `expected the same norm in every shard, got ${other[at]} at index ${at} in shard ${shard}, ${first[at]} in shard 0`,
    );
  }
  return vector(name, length, async () => first);
}

function vector(name: string, length: number, read: () => Promise<Float32Array>): TableWeight {
  return {
    name,
    shape: [length],
    type: 'f32',
    sizeBytes: 4 * length,
    openRows: () => ({
      release: () => undefined,
      async read(_firstRow, target) {
        new Float32Array(target.buffer, target.byteOffset, length).set(await read());
      },
    }),
  };
}

async function sumOf(parts: readonly Part[], length: number): Promise<Float32Array> {
  const sum = new Float32Array(length);
  const part = new Float32Array(length);
  for (const each of parts) {
    await readVector(each, part);
    for (let i = 0; i < length; i++) sum[i] = sum[i]! + part[i]!;
  }
  return sum;
}

async function readVector({ array, type }: Part, target: Float32Array): Promise<void> {
  const bytes = new Uint8Array(target.length * STORED_FLOAT_BYTES[type]);
  await array.source.read(array.offset, bytes);
  decodeWeights(type, bytes, target);
}

function vectorOf(name: string, array: NpyArray, length: number): Part {
  return partOf(name, array, [length], [1, length], [length, 1]);
}

/** Throws `wrong_shape`, `wrong_type`. */
function partOf(
  name: string,
  array: NpyArray,
  expected: readonly number[],
  shape: Part['shape'],
  strides: Part['strides'],
): Part {
  const place = { file: array.source.path, tensor: name };
  if (array.shape.length !== expected.length || array.shape.some((size, i) => size !== expected[i])) {
    throw new CheckpointError('wrong_shape', place, `expected (${expected}) in a shard, got (${array.shape})`);
  }
  const { type } = array;
  if (type === 'i32' || type === 'i64') {
    throw new CheckpointError('wrong_type', place, `expected bfloat16, float16 or float32, got ${type}`);
  }
  return { array, type, shape, strides };
}

/** Throws `wrong_type` where the shards differ. */
function typeOf(name: string, parts: readonly Part[]): FloatType {
  const { type } = parts[0]!;
  const other = parts.find((part) => part.type !== type);
  if (other === undefined) return type;
  throw new CheckpointError(
    'wrong_type',
    { file: other.array.source.path, tensor: name },
    `expected ${type}, as in shard 0, got ${other.type}`,
  );
}

function openPart({ array, type, shape, strides }: Part, memory: BandMemory): RowReader {
  const { source, offset } = array;
  return createRowReader({ name: source.path, shape, strides, storedType: type, type, offset, source }, memory);
}

/** The parts one below another. */
function stackRows(parts: readonly Part[], memory: BandMemory): RowReader {
  const { shape, type } = parts[0]!;
  const [rowsPerPart, rowLength] = shape;
  const bytesPerRow = rowLength * STORED_FLOAT_BYTES[type];
  let last: { readonly index: number; readonly reader: RowReader } | null = null;
  const release = (): void => {
    last?.reader.release();
    last = null;
  };
  return {
    release,
    async read(firstRow, target) {
      for (let done = 0; done < target.byteLength; ) {
        const row = firstRow + done / bytesPerRow;
        const index = Math.floor(row / rowsPerPart);
        if (last?.index !== index) {
          release();
          last = { index, reader: openPart(parts[index]!, memory) };
        }
        const { reader } = last;
        const rows = Math.min(rowsPerPart - (row % rowsPerPart), (target.byteLength - done) / bytesPerRow);
        await reader.read(row % rowsPerPart, target.subarray(done, done + rows * bytesPerRow));
        done += rows * bytesPerRow;
      }
    },
  };
}

/** The parts side by side. */
function joinColumns(parts: readonly Part[], memory: BandMemory): RowReader {
  const { shape, type } = parts[0]!;
  const partBytes = shape[1] * STORED_FLOAT_BYTES[type];
  const rowBytes = partBytes * parts.length;
  const readers = parts.map((part) => openPart(part, memory));
  return {
    release() {
      for (const reader of readers) reader.release();
    },
    async read(firstRow, target) {
      const rows = target.byteLength / rowBytes;
      const piece = new Uint8Array(rows * partBytes);
      for (const [i, reader] of readers.entries()) {
        await reader.read(firstRow, piece);
        for (let row = 0; row < rows; row++) {
          target.set(piece.subarray(row * partBytes, (row + 1) * partBytes), row * rowBytes + i * partBytes);
        }
      }
    },
  };
}
