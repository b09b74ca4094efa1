/** Which type a model gets, and whether it fits: decided before the weights are downloaded. */
import { phi2Tensors, planBytes, RECIPES, type Recipe, tensorType } from '@gptj-cloud/checkpoint';
import { type GpuMemory, gigabytes, type MachineMemory, planMemory } from '@gptj-cloud/engine';
import type { GptjConfig } from '@gptj-cloud/model';
import { ModelStoreError } from '../model-store-error.ts';

export interface TypePlan {
  readonly type: Recipe;
  /** Size of the model file. */
  readonly fileBytes: number;
  /** Why this type. */
  readonly reason: string;
}

export interface TypeRequest {
  readonly config: GptjConfig;
  /** Null: the best that fits. */
  readonly type: Recipe | null;
  readonly machine: MachineMemory;
  /** Of the GPU that computes; null: there is none. */
  readonly gpu: GpuMemory | null;
  /** Whether to refuse what does not fit into the memory. */
  readonly checksMemory: boolean;
}

/**
 * What `--fit` tries. Types of more bits than q8_0 are twice as slow for next to no gain: they are there when they are
 * asked for.
 */
const FITTING: readonly Recipe[] = ['q8_0', 'q6_K', 'q5_K_M', 'q4_K_M', 'q4_0'];
/** On a GPU half precision is fast, and loses nothing. */
const FITTING_GPU: readonly Recipe[] = ['f16', ...FITTING];
/** Vocabulary and merges of a model file; those of GPT-J take 3 MB. */
const METADATA_BYTES = 4e6;

/**
 * The type for the GPU where one computes and holds any, else for the memory. Throws `memory_full` with the figures when the type,
 * or every type, exceeds the free memory of both.
 */
export function planType(request: TypeRequest): TypePlan {
  const { gpu } = request;
  if (gpu === null) return planForMemory(request);
  const onGpu = planForGpu(request, gpu);
  if (onGpu !== null) return onGpu;
  const plan = planForMemory(request);
  const least = gigabytes(memoryBytes(request.config, request.type ?? 'q4_0', gpu));
  const missing = `${gpu.name} has ${gigabytes(gpu.freeBytes)} free, and ${request.type ?? 'q4_0'} takes ${least}: without ENGINE_GPU_LAYERS=0, or a number of layers, it does not load there`;
  return { ...plan, reason: `${plan.reason}; ${missing}` };
}

/** Null: the GPU does not hold the type, or any. */
function planForGpu({ config, type }: TypeRequest, gpu: GpuMemory): TypePlan | null {
  const free = `${gigabytes(gpu.freeBytes)} free of ${gigabytes(gpu.totalBytes)}`;
  const memory = (recipe: Recipe): number => memoryBytes(config, recipe, gpu);
  const best = (type === null ? FITTING_GPU : [type]).find((recipe) => memory(recipe) <= gpu.freeBytes);
  if (best === undefined) return null;
  const [first] = FITTING_GPU;
  const needed = `${gigabytes(memory(best))} of ${gpu.name} with one full context`;
  const reason =
    type !== null
      ? `it was asked for; it takes ${needed}, ${free}`
      : best === first
        ? `no loss, and it takes ${needed}, ${free}`
        : `${first} takes ${gigabytes(memory('f16'))} of ${gpu.name} with one full context, ${best} ${gigabytes(memory(best))}, ${free}`;
  return { type: best, fileBytes: modelFileBytes(config, best), reason };
}

function planForMemory({ config, type, machine, checksMemory }: Omit<TypeRequest, 'gpu'>): TypePlan {
  const free = `${gigabytes(machine.freeBytes)} free of ${gigabytes(machine.totalBytes)}`;
  const memory = (recipe: Recipe): number => memoryBytes(config, recipe, machine);
  const plan = (recipe: Recipe, reason: string): TypePlan => ({
    type: recipe,
    fileBytes: modelFileBytes(config, recipe),
    reason,
  });
  if (type !== null) {
    const needed = memory(type);
    if (needed <= machine.freeBytes || !checksMemory)
      return plan(type, `it was asked for; it takes ${gigabytes(needed)} of memory, ${free}`);
    const other = FITTING.find((recipe) => memory(recipe) <= machine.freeBytes);
    throw new ModelStoreError(
      'memory_full',
      `${type} takes ${gigabytes(needed)} of memory with one full context, got ${free}; ${other === undefined ? 'no type fits' : `--type ${other} fits`}. ENGINE_MEMORY_CHECK=off downloads it all the same`,
    );
  }
  const best = FITTING.find((recipe) => memory(recipe) <= machine.freeBytes);
  if (best !== undefined) {
    const reason =
      best === 'q8_0'
        ? `next to no loss, and it takes ${gigabytes(memory(best))} of memory with one full context, ${free}`
        : `q8_0 takes ${gigabytes(memory('q8_0'))} of memory with one full context, ${best} ${gigabytes(memory(best))}, ${free}`;
    return plan(best, reason);
  }
  if (!checksMemory) return plan('q4_0', `the smallest: ${gigabytes(memory('q4_0'))} of memory, ${free}`);
  throw new ModelStoreError(
    'memory_full',
    `the smallest type, q4_0, takes ${gigabytes(memory('q4_0'))} of memory with one full context, got ${free}. ENGINE_MEMORY_CHECK=off downloads it all the same`,
  );
}

/** One type of a model on a machine. */
export interface TypeFit {
  readonly type: Recipe;
  readonly fileBytes: number;
  /** With the cache for one full context. */
  readonly memoryBytes: number;
  readonly fits: boolean;
}

/** Every type of a model of this shape, most precise first. */
export function fitTypes(config: GptjConfig, machine: MachineMemory): readonly TypeFit[] {
  return RECIPES.map((type) => {
    const bytes = memoryBytes(config, type, machine);
    return { type, fileBytes: modelFileBytes(config, type), memoryBytes: bytes, fits: bytes <= machine.freeBytes };
  });
}

/** With the cache for one full context. */
function memoryBytes(config: GptjConfig, recipe: Recipe, machine: MachineMemory): number {
  return planMemory({
    config,
    // It takes a little more than the kernels.
    engine: 'llama',
    path: '',
    fileBytes: modelFileBytes(config, recipe),
    cacheCells: config.contextLength,
    bytesPerValue: 2,
    machine,
    refuses: false,
  }).totalBytes;
}

function modelFileBytes(config: GptjConfig, recipe: Recipe): number {
  return phi2Tensors(config).reduce((sum, { name, shape }) => {
    if (shape.length < 2) return sum + planBytes({ name, shape, type: 'f32' });
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    const rowLength = shape[1]!;
    const { used } = tensorType(recipe, name, layer === undefined ? null : Number(layer), config.layerCount, rowLength);
    return sum + planBytes({ name, shape, type: used });
  }, METADATA_BYTES);
}
