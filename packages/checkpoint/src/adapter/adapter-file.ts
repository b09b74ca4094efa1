/**
 * An adapter as this project stores it: a GGUF file that llama.cpp v0.5.0 reads as an adapter of a phi2 export.
 * `blk.N.attn_q.weight.lora_a` is A [rank, columns] and `….lora_b` is B [rows, rank], both float32; rows of B of q and k are
 * in Phi-2's order, and B is multiplied by the scaling of its matrix, as the format has one alpha for all of them:
 * `adapter.lora.alpha` 0 says that there is nothing left to scale.
 *
 * | key                          | type   | what                                                     |
 * | ---------------------------- | ------ | -------------------------------------------------------- |
 * | `gptj.adapter.fits`          | string | the sizes of the models that it fits, see {@link fitOf}   |
 * | `gptj.adapter.base`          | string | the model that it was trained on, as its author says     |
 */
import {
  ADAPTER_TARGETS,
  type AdapterLayer,
  type AdapterTarget,
  adapterTargets,
  type GptjConfig,
  type LowRank,
  MAX_ADAPTER_RANK,
} from '@gptj-cloud/model';
import { BoundedFile } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { type GgufTensorInfo, readGgufHeader } from '../gguf/header.ts';
import { type GgufMetadata, type GgufValue, metadataString } from '../gguf/metadata.ts';
import { gptjRowToPhi2, isReordered, phi2RowToGptj } from '../gguf/row-order.ts';
import { GgufWriter } from '../gguf/writer.ts';
import { firstNonFinite } from '../number-checks.ts';
import { elementCount } from '../tensor-type.ts';
import { openPeftAdapter, type PeftAdapter } from './peft-adapter.ts';

/** The sizes of a model that its adapters depend on, in one text. */
export function fitOf(config: GptjConfig): string {
  const { layerCount, embeddingSize, headCount, rotaryDim, feedForwardSize } = config;
  return `${layerCount} layers, width ${embeddingSize}, ${headCount} heads, rotary ${rotaryDim}, feed-forward ${feedForwardSize}`;
}

export interface AdapterSummary {
  readonly baseModel: string | null;
  /** Largest rank of a matrix. */
  readonly rank: number;
  readonly targets: readonly AdapterTarget[];
  /** Of the written file. */
  readonly sizeBytes: number;
}

export interface ConvertAdapterOptions {
  /** A folder as PEFT writes it. */
  readonly source: string;
  /** The file to write; it must not exist. */
  readonly target: string;
  /** Name in the file's metadata. */
  readonly name: string;
  /** Of the model that it is to fit. */
  readonly config: GptjConfig;
}

/** Check an adapter for a model, its numbers too, without writing anything. Throws `CheckpointError`. */
export async function checkAdapter(source: string, config: GptjConfig): Promise<void> {
  const adapter = await openPeftAdapter(source, config);
  try {
    for (const matrix of adapter.matrices) {
      await matrix.readDown();
      scaledUp(source, await matrix.readUp(), matrix.scaling);
    }
  } finally {
    await adapter.close();
  }
}

/** Convert an adapter. After a failure no file is left. Throws `CheckpointError`. */
export async function convertAdapter(options: ConvertAdapterOptions): Promise<AdapterSummary> {
  const adapter = await openPeftAdapter(options.source, options.config);
  try {
    return await write(adapter, options);
  } finally {
    await adapter.close();
  }
}

async function write(adapter: PeftAdapter, options: ConvertAdapterOptions): Promise<AdapterSummary> {
  const { source, target: path, name, config } = options;
  const specs = adapterTargets(config);
  const tensors = adapter.matrices.flatMap(({ layer, target, rank }) => {
    const { ggufName, rows, columns } = specs[target];
    const base = `blk.${layer}.${ggufName}.weight`;
    return [
      { name: `${base}.lora_a`, shape: [rank, columns], type: 'f32' as const },
      { name: `${base}.lora_b`, shape: [rows, rank], type: 'f32' as const },
    ];
  });
  const string = (value: string): GgufValue => ({ type: 'string', value });
  const metadata: GgufMetadata = new Map<string, GgufValue>([
    ['general.architecture', string('phi2')],
    ['general.type', string('adapter')],
    ['general.name', string(name)],
    ['adapter.type', string('lora')],
    ['adapter.lora.alpha', { type: 'float32', value: 0 }],
    ['gptj.adapter.fits', string(fitOf(config))],
    ...(adapter.baseModel === null ? [] : [['gptj.adapter.base', string(adapter.baseModel)] as const]),
  ]);
  const writer = await GgufWriter.create(path, { metadata, tensors });
  try {
    for (const { layer, target, rank, scaling, readDown, readUp } of adapter.matrices) {
      await writer.write(bytesOf(await readDown()));
      const order = rowOrder(config, layer, target, phi2RowToGptj);
      await writer.write(bytesOf(reordered(scaledUp(source, await readUp(), scaling), rank, order)));
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.finish();
  return {
    baseModel: adapter.baseModel,
    rank: Math.max(...adapter.matrices.map(({ rank }) => rank)),
    targets: ADAPTER_TARGETS.filter((target) => adapter.matrices.some((matrix) => matrix.target === target)),
    sizeBytes: writer.totalBytes,
  };
}

function scaledUp(file: string, up: Float32Array, scaling: number): Float32Array {
  const scaled = up.map((value) => value * scaling);
  if (firstNonFinite('f32', new Uint8Array(scaled.buffer)) < 0) return scaled;
  throw new CheckpointError('out_of_range', { file }, `expected numbers that stay finite times ${scaling}`);
}

type RowOrder = (row: number) => number;

/** Null where both orders are the same. */
function rowOrder(
  config: GptjConfig,
  layer: number,
  target: AdapterTarget,
  order: (config: GptjConfig, row: number) => number,
): RowOrder | null {
  const { module } = adapterTargets(config)[target];
  return isReordered(`transformer.h.${layer}.${module}.weight`) ? (row) => order(config, row) : null;
}

/** Row `row` of the result is row `order(row)` of `up`. */
function reordered(up: Float32Array, rank: number, order: RowOrder | null): Float32Array {
  if (order === null) return up;
  const result = new Float32Array(up.length);
  for (let row = 0; row < up.length / rank; row++) {
    result.set(up.subarray(order(row) * rank, (order(row) + 1) * rank), row * rank);
  }
  return result;
}

function bytesOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

/** The weights of a stored adapter. */
export interface AdapterWeights {
  readonly layers: readonly AdapterLayer[];
}

/**
 * Read a stored adapter for a model. Throws `unsupported` for another file, `wrong_shape` where it does not fit the model,
 * `out_of_range`, and the errors of a damaged file.
 *
 * @param rows of q and k: as in the phi2 export (`exported`), or as in GPT-J
 */
export async function readAdapter(
  path: string,
  config: GptjConfig,
  rows: 'exported' | 'original',
): Promise<AdapterWeights> {
  const file = await BoundedFile.open(path);
  try {
    const { metadata, tensors } = await readGgufHeader(file);
    checkKind(path, metadata, config);
    const infos = new Map(tensors.map((info) => [info.name, info]));
    const layers: Partial<Record<AdapterTarget, LowRank>>[] = [];
    for (let layer = 0; layer < config.layerCount; layer++) {
      const found: Partial<Record<AdapterTarget, LowRank>> = {};
      for (const target of ADAPTER_TARGETS) {
        const { ggufName } = adapterTargets(config)[target];
        const [a, b] = ['lora_a', 'lora_b'].map((side) => take(infos, `blk.${layer}.${ggufName}.weight.${side}`));
        if (a === undefined && b === undefined) continue;
        const matrix = await readMatrix(file, a, b, config, target);
        const order = rows === 'exported' ? null : rowOrder(config, layer, target, gptjRowToPhi2);
        found[target] = { ...matrix, up: reordered(matrix.up, matrix.rank, order) };
      }
      layers.push(found);
    }
    for (const [tensor] of infos) {
      throw new CheckpointError('unexpected_tensor', { file: path, tensor }, 'expected only an adapter of GPT-J');
    }
    return { layers };
  } finally {
    await file.close();
  }
}

function checkKind(path: string, metadata: GgufMetadata, config: GptjConfig): void {
  const fits = metadataString(metadata, 'gptj.adapter.fits');
  if (metadataString(metadata, 'general.type') !== 'adapter' || fits === null) {
    throw new CheckpointError('unsupported', { file: path }, 'expected an adapter that gptj adapter add has stored');
  }
  if (fits !== fitOf(config)) {
    throw new CheckpointError(
      'wrong_shape',
      { file: path },
      `expected an adapter for ${fitOf(config)}, got one for ${fits}`,
    );
  }
  // llama.cpp would multiply by alpha / rank again.
  if (metadata.get('adapter.lora.alpha')?.value !== 0) {
    throw new CheckpointError('unsupported', { file: path }, 'adapter.lora.alpha: expected 0; add the adapter again');
  }
}

function take(infos: Map<string, GgufTensorInfo>, name: string): GgufTensorInfo | undefined {
  const info = infos.get(name);
  infos.delete(name);
  return info;
}

async function readMatrix(
  file: BoundedFile,
  a: GgufTensorInfo | undefined,
  b: GgufTensorInfo | undefined,
  config: GptjConfig,
  target: AdapterTarget,
): Promise<LowRank> {
  const { rows, columns } = adapterTargets(config)[target];
  const rank = a?.shape[0] ?? 0;
  if (a === undefined || b === undefined) {
    throw new CheckpointError(
      'missing_tensor',
      { file: file.path, tensor: (a ?? b)!.name },
      'expected lora_a and lora_b',
    );
  }
  if (rank < 1 || rank > MAX_ADAPTER_RANK) {
    throw new CheckpointError(
      'wrong_shape',
      { file: file.path, tensor: a.name },
      `expected a rank from 1 to ${MAX_ADAPTER_RANK}, got ${rank}`,
    );
  }
  return { rank, down: await readFloats(file, a, [rank, columns]), up: await readFloats(file, b, [rows, rank]) };
}

async function readFloats(file: BoundedFile, info: GgufTensorInfo, shape: readonly number[]): Promise<Float32Array> {
  const place = { file: file.path, tensor: info.name };
  if (info.shape.join() !== shape.join()) {
    throw new CheckpointError('wrong_shape', place, `expected [${shape}], got [${info.shape}]`);
  }
  if (info.type !== 'f32') throw new CheckpointError('wrong_type', place, `expected f32, got ${info.type}`);
  const floats = new Float32Array(elementCount(shape));
  await file.read(info.offset, bytesOf(floats));
  const at = firstNonFinite('f32', bytesOf(floats));
  if (at >= 0) throw new CheckpointError('out_of_range', place, `expected finite numbers, got ${floats[at]}`);
  return floats;
}
