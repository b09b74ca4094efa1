/** A PEFT adapter: the folder with `adapter_config.json` and `adapter_model.safetensors` or `.bin`, as data. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ADAPTER_TARGETS, type AdapterTarget, adapterTargets, type GptjConfig } from '@gptj-cloud/model';
import { BandMemory } from '../band-memory.ts';
import { BoundedFile } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { floatWeight } from '../float-weight.ts';
import { HEADER_READERS } from '../hugging-face.ts';
import { firstNonFinite } from '../number-checks.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { decodeWeights } from '../tensor-codec.ts';
import { elementCount } from '../tensor-type.ts';
import type { TableWeight } from '../weight-table.ts';
import { readAdapterConfig } from './adapter-config.ts';

/** One matrix that the adapter changes. */
export interface PeftMatrix {
  readonly layer: number;
  readonly target: AdapterTarget;
  readonly rank: number;
  /** alpha / rank, or alpha / √rank. */
  readonly scaling: number;
  /** A, [rank, columns]. Throws `out_of_range` where a number is not finite. */
  readDown(): Promise<Float32Array>;
  /** B, [rows, rank], in the row order of Hugging Face. Throws `out_of_range`. */
  readUp(): Promise<Float32Array>;
}

export interface PeftAdapter {
  /** The model that it was trained on, as it says. */
  readonly baseModel: string | null;
  /** By layer, in the order of `ADAPTER_TARGETS`. */
  readonly matrices: readonly PeftMatrix[];
  /** Idempotent. */
  close(): Promise<void>;
}

const FILES = [
  { format: 'safetensors', name: 'adapter_model.safetensors' },
  { format: 'pytorch', name: 'adapter_model.bin' },
] as const;

/** `base_model.model.transformer.h.0.attn.q_proj.lora_A.weight`, with the adapter's name in some files of 2023. */
const TENSOR_NAME =
  /^(?:base_model\.model\.)?transformer\.h\.(0|[1-9]\d{0,3})\.((?:attn|mlp)\.[a-z_]+)\.lora_([AB])(?:\.default)?\.weight$/;

/**
 * Open an adapter for a model. Checks every name and shape, and reads no weights. Throws `CheckpointError`; nothing of the
 * files is executed.
 */
export async function openPeftAdapter(folder: string, config: GptjConfig): Promise<PeftAdapter> {
  const settings = await readAdapterConfig(join(folder, 'adapter_config.json'));
  const found = FILES.find(({ name }) => existsSync(join(folder, name)));
  if (found === undefined) {
    throw new CheckpointError(
      'not_found',
      { file: folder },
      `expected ${FILES.map(({ name }) => name).join(' or ')}, found neither`,
    );
  }
  const file = await BoundedFile.open(join(folder, found.name));
  try {
    const pairs = pairTensors(file, await HEADER_READERS[found.format](file), config);
    if (settings.isOfAllLayers) checkLayers(file, pairs, config);
    const matrices = pairs.map(({ layer, target, A, B }): PeftMatrix => {
      const { module, rows, columns } = adapterTargets(config)[target];
      const name = `transformer.h.${layer}.${module}`;
      const rank = settings.rank(name);
      const down = toWeight(file, A, [rank, columns]);
      const up = toWeight(file, B, [rows, rank]);
      return {
        layer,
        target,
        rank,
        scaling: settings.scaling(name),
        readDown: () => readFloats(file, down),
        readUp: () => readFloats(file, up),
      };
    });
    return { baseModel: settings.baseModel, matrices, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Pair {
  readonly layer: number;
  readonly target: AdapterTarget;
  readonly A: StoredTensor;
  readonly B: StoredTensor;
}

function pairTensors(file: BoundedFile, tensors: readonly StoredTensor[], config: GptjConfig): readonly Pair[] {
  const byPlace = new Map<string, StoredTensor>();
  for (const tensor of tensors) {
    const key = placeOf(file, tensor.name, config);
    if (byPlace.has(key)) {
      throw new CheckpointError('duplicate_tensor', { file: file.path, tensor: tensor.name }, 'expected one, got two');
    }
    byPlace.set(key, tensor);
  }
  const pairs: Pair[] = [];
  for (let layer = 0; layer < config.layerCount; layer++) {
    for (const target of ADAPTER_TARGETS) {
      const [A, B] = [byPlace.get(`${layer} ${target} A`), byPlace.get(`${layer} ${target} B`)];
      if (A !== undefined && B !== undefined) pairs.push({ layer, target, A, B });
      else if (A !== undefined || B !== undefined) {
        const [has, lacks] = A === undefined ? ['lora_B', 'lora_A'] : ['lora_A', 'lora_B'];
        const tensor = (A ?? B)!.name;
        throw new CheckpointError('missing_tensor', { file: file.path, tensor }, `expected ${lacks} beside ${has}`);
      }
    }
  }
  if (pairs.length === 0) {
    throw new CheckpointError('missing_tensor', { file: file.path }, 'expected lora_A and lora_B, found no tensor');
  }
  return pairs;
}

/** The adapter of a smaller model has shapes that fit, and would change the first layers alone. */
function checkLayers(file: BoundedFile, pairs: readonly Pair[], { layerCount }: GptjConfig): void {
  for (const target of ADAPTER_TARGETS) {
    const layers = pairs.filter((pair) => pair.target === target).length;
    if (layers === 0 || layers === layerCount) continue;
    throw new CheckpointError(
      'missing_tensor',
      { file: file.path },
      `expected ${target} of all ${layerCount} layers of this model, got ${layers}: it was trained on another model`,
    );
  }
}

function placeOf(file: BoundedFile, tensor: string, config: GptjConfig): string {
  const { layerCount } = config;
  const place = { file: file.path, tensor: tensor.slice(0, 200) };
  const [, layer, module = '', side] = TENSOR_NAME.exec(tensor) ?? [];
  const target = targetOfModule(module, config);
  if (layer === undefined || target === undefined) {
    throw new CheckpointError(
      'unexpected_tensor',
      place,
      `expected lora_A and lora_B of ${ADAPTER_TARGETS.join(', ')}: ${otherKind(tensor)}`,
    );
  }
  if (Number(layer) >= layerCount) {
    throw new CheckpointError(
      'wrong_shape',
      place,
      `expected layers 0 to ${layerCount - 1} of this model, got ${layer}`,
    );
  }
  return `${layer} ${target} ${side}`;
}

/** `attn.q_proj` is `q_proj`; undefined for a module that GPT-J does not have, such as `mlp.q_proj`. */
function targetOfModule(module: string, config: GptjConfig): AdapterTarget | undefined {
  const targets = adapterTargets(config);
  return ADAPTER_TARGETS.find((target) => targets[target].module === module);
}

/** Why a tensor is not read. */
function otherKind(name: string): string {
  if (/\b(?:lm_head|wte)\b|lora_embedding/.test(name)) {
    return 'the embedding and the LM head cannot be adapted here; merge the adapter into the model and convert that';
  }
  if (name.includes('lora_magnitude_vector')) return 'DoRA is not supported';
  if (name.includes('modules_to_save')) return 'whole modules are not supported';
  return 'GPT-J has no such matrix';
}

function toWeight(file: BoundedFile, tensor: StoredTensor, expected: readonly [number, number]): TableWeight {
  const place = { file: file.path, tensor: tensor.name };
  const { shape, type } = tensor;
  if (shape.length !== 2 || shape[0] !== expected[0] || shape[1] !== expected[1]) {
    throw new CheckpointError(
      'wrong_shape',
      place,
      `expected [${expected}] for this model and the ranks of adapter_config.json, got [${shape.slice(0, 8)}]`,
    );
  }
  if (type === null) {
    throw new CheckpointError(
      'wrong_type',
      place,
      `expected F32, F16, BF16 or F64, got ${tensor.storedType.slice(0, 40)}`,
    );
  }
  return floatWeight(tensor.name, { ...tensor, type, source: file });
}

async function readFloats(file: BoundedFile, weight: TableWeight): Promise<Float32Array> {
  const bytes = new Uint8Array(weight.sizeBytes);
  await weight.openRows(new BandMemory()).read(0, bytes);
  const floats = new Float32Array(elementCount(weight.shape));
  decodeWeights(weight.type, bytes, floats);
  const at = firstNonFinite('f32', new Uint8Array(floats.buffer));
  if (at >= 0) {
    const place = { file: file.path, tensor: weight.name };
    throw new CheckpointError('out_of_range', place, `expected finite numbers, got ${floats[at]} at ${at}`);
  }
  return floats;
}
