/**
 * The leaves of a checkpoint of mesh-transformer-jax (`checkpoint.py`): every shard of the model has a folder of .npz files, whose arrays,
 * one file after another, are the leaves of the state in the order of its keys, sorted as text.
 */
import type { ByteSource } from '../bounded-file.ts';
import { sliceOf } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { entryDataOffset, readZipDirectory } from '../pytorch/zip-directory.ts';
import { type NpyArray, readNpyHeader } from './npy.ts';

/** Model-parallel ranks; GPT-J-6B has 8. */
const MAX_SHARDS = 64;
const MAX_FILES_PER_SHARD = 64;
const MAX_LAYERS = 1024;

/** Leaves of a layer, and of everything else with the number of the step. */
const LAYER_LEAVES = 10;
const OTHER_LEAVES = 7;

/** One .npz file of a shard. */
export interface ShardFile {
  readonly shard: number;
  readonly index: number;
  readonly source: ByteSource;
}

/** The same leaf of every shard, by rank. */
export type Leaf = readonly NpyArray[];

/** The leaves of one layer. */
export interface LayerLeaves {
  readonly q: Leaf;
  readonly v: Leaf;
  readonly k: Leaf;
  readonly out: Leaf;
  readonly fcInBias: Leaf;
  readonly fcIn: Leaf;
  readonly fcOutBias: Leaf;
  readonly fcOut: Leaf;
  readonly normBias: Leaf;
  readonly norm: Leaf;
}

export interface MeshLeaves {
  readonly embeddingBias: Leaf;
  readonly embedding: Leaf;
  /** By number of the layer. */
  readonly layers: readonly LayerLeaves[];
  readonly headBias: Leaf;
  readonly head: Leaf;
  readonly normBias: Leaf;
  readonly norm: Leaf;
  /** Whether the state of the optimiser comes before them. */
  readonly isFull: boolean;
}

/** A shard's folder and file in a path of an archive or below a folder: `…/shard_3/12.npz`. */
export function parseShardPath(path: string): Pick<ShardFile, 'shard' | 'index'> | null {
  const [, shard, index] = /(?:^|\/)shard_(\d{1,4})\/(\d{1,4})\.npz$/.exec(path) ?? [];
  return shard === undefined || index === undefined ? null : { shard: Number(shard), index: Number(index) };
}

/** Throws `malformed`, `unsupported`, `wrong_shape`, `truncated`, `missing_tensor`. */
export async function readMeshLeaves(path: string, files: readonly ShardFile[]): Promise<MeshLeaves> {
  const shards = groupShards(path, files);
  const perShard: (readonly NpyArray[])[] = [];
  for (const sources of shards) {
    const arrays: NpyArray[] = [];
    for (const source of sources) arrays.push(...(await readArrays(source)));
    perShard.push(arrays);
  }
  const count = perShard[0]!.length;
  if (perShard.some((arrays) => arrays.length !== count)) {
    const counts = perShard.map((arrays) => arrays.length).join(', ');
    throw new CheckpointError('malformed', { file: path }, `expected as many arrays in every shard, got ${counts}`);
  }
  const { layerCount, isFull } = countLayers(path, count);
  const first = count - LAYER_LEAVES * layerCount - OTHER_LEAVES;
  let at = first;
  const next = (): Leaf => {
    const leaf = perShard.map((arrays) => arrays[at]!);
    at++;
    return leaf;
  };
  const embeddingBias = next();
  const embedding = next();
  const layers: LayerLeaves[] = new Array(layerCount);
  // As text, layer_10 comes before layer_2.
  const order = Array.from({ length: layerCount }, (_, layer) => layer).sort((a, b) =>
    String(a) < String(b) ? -1 : 1,
  );
  for (const layer of order) {
    // The projections of linear_1 and linear_2 are v and k, in this order.
    layers[layer] = {
      q: next(),
      v: next(),
      k: next(),
      out: next(),
      fcInBias: next(),
      fcIn: next(),
      fcOutBias: next(),
      fcOut: next(),
      normBias: next(),
      norm: next(),
    };
  }
  return { embeddingBias, embedding, layers, headBias: next(), head: next(), normBias: next(), norm: next(), isFull };
}

/** The state is parameters and step, or three times as many leaves with the optimiser's first. */
function countLayers(path: string, leaves: number): { readonly layerCount: number; readonly isFull: boolean } {
  const layersOf = (count: number): number => (count - OTHER_LEAVES) / LAYER_LEAVES;
  for (const isFull of [false, true]) {
    const layerCount = layersOf(isFull ? leaves / 3 : leaves);
    if (Number.isInteger(layerCount) && layerCount >= 1 && layerCount <= MAX_LAYERS) return { layerCount, isFull };
  }
  throw new CheckpointError(
    'malformed',
    { file: path },
    `expected 10 arrays a layer and 7 more in every shard, or three times as many, got ${leaves}`,
  );
}

/** The files of every shard in order. Throws `malformed` for one that is missing or there twice. */
function groupShards(path: string, files: readonly ShardFile[]): readonly (readonly ByteSource[])[] {
  const shards: ByteSource[][] = [];
  for (const { shard, index, source } of files) {
    if (shard >= MAX_SHARDS || index >= MAX_FILES_PER_SHARD) {
      throw new CheckpointError(
        'malformed',
        { file: source.path },
        `expected at most ${MAX_SHARDS} shards of ${MAX_FILES_PER_SHARD} files, got shard ${shard}, file ${index}`,
      );
    }
    shards[shard] ??= [];
    if (shards[shard][index] !== undefined) {
      throw new CheckpointError('malformed', { file: source.path }, 'expected this file once, got it twice');
    }
    shards[shard][index] = source;
  }
  if (shards.length === 0) {
    throw new CheckpointError('not_found', { file: path }, 'expected shard_0/0.npz and more, found none');
  }
  for (let shard = 0; shard < shards.length; shard++) {
    const sources = shards[shard] ?? [];
    for (let index = 0; index < Math.max(1, sources.length, shards[0]?.length ?? 0); index++) {
      if (sources[index] === undefined) {
        throw new CheckpointError('not_found', { file: path }, `expected shard_${shard}/${index}.npz, found none`);
      }
    }
  }
  return shards;
}

/** The arrays of a file of `np.savez`, arr_0 to the last. */
async function readArrays(source: ByteSource): Promise<readonly NpyArray[]> {
  const directory = await readZipDirectory(source);
  const arrays: NpyArray[] = [];
  for (let i = 0; i < directory.entries.size; i++) {
    const entry = directory.entries.get(`arr_${i}.npy`);
    if (entry === undefined) {
      throw new CheckpointError(
        'malformed',
        { file: source.path },
        `expected arr_0.npy to arr_${directory.entries.size - 1}.npy, found no arr_${i}.npy`,
      );
    }
    const offset = await entryDataOffset(source, directory, entry);
    arrays.push(await readNpyHeader(sliceOf(source, `${source.path}/${entry.name}`, offset, entry.sizeBytes)));
  }
  return arrays;
}
