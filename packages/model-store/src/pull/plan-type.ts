/** Which type a model gets, and whether it fits: decided before the weights are downloaded. */
import { phi2Tensors, planBytes, RECIPES, type Recipe, tensorType } from '@gptj-cloud/checkpoint';
import { gigabytes, type MachineMemory, planMemory } from '@gptj-cloud/engine';
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
  /** Whether to refuse what does not fit into the memory. */
  readonly checksMemory: boolean;
}

/**
 * What `--fit` tries. Types of more bits than q8_0 are twice as slow for next to no gain: they are there when they are
 * asked for.
 */
const FITTING: readonly Recipe[] = ['q8_0', 'q6_K', 'q5_K_M', 'q4_K_M', 'q4_0'];
/** Vocabulary and merges of a model file; those of GPT-J take 3 MB. */
const METADATA_BYTES = 4e6;

/** Throws `memory_full` with the figures when the type, or every type, exceeds the free memory. */
export function planType({ config, type, machine, checksMemory }: TypeRequest): TypePlan {
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
