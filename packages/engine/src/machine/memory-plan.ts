/** How much memory a model takes, and how much of it the KV cache may have: decided before anything is loaded. */
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import type { MachineMemory } from './machine-memory.ts';

export interface MemoryPlan {
  /** The model file. Its pages may be in memory twice for a while: as read, and rearranged for the processor. */
  readonly weightsBytes: number;
  readonly cacheCells: number;
  readonly cacheBytes: number;
  /** Buffers of the evaluations. */
  readonly computeBytes: number;
  /** Server, store and engine without the model. */
  readonly programBytes: number;
  /** All of the above. */
  readonly totalBytes: number;
  /** What the context of `deterministic` requests takes in addition, from the first of them on. */
  readonly isolatedBytes: number;
  readonly machine: MachineMemory;
}

export interface MemoryRequest {
  readonly config: GptjConfig;
  /** Name of the file for the error. */
  readonly path: string;
  readonly fileBytes: number;
  /** Positions of KV cache. Undefined: as many as fit. */
  readonly cacheCells?: number;
  /** The same in bytes; `cacheCells` takes precedence. */
  readonly cacheBytes?: number;
  readonly bytesPerValue: 2 | 4;
  readonly machine: MachineMemory;
  /** Whether to refuse what cannot fit. */
  readonly refuses: boolean;
}

/** Tokens that llama.cpp computes at once within a batch: its physical batch. */
export const PHYSICAL_BATCH_TOKENS = 512;
/** Sequences of one context, each with room for one row of logits: llama.cpp's limit LLAMA_MAX_SEQ. */
export const MAX_SEQUENCES = 256;
/** Cells come in multiples of this. */
const CELL_STEP = 256;
/** Measured with the embedded store: server 0.5 GB, engine's process 0.1 GB. */
const PROGRAM_BYTES = 600e6;
const FLOAT_BYTES = 4;
/** Contexts of cache at most, where nothing else is set. */
const MAX_CONTEXTS = 8;

/** Keys and values of one position. */
export function cellBytes({ layerCount, embeddingSize }: GptjConfig, bytesPerValue: number): number {
  return 2 * layerCount * embeddingSize * bytesPerValue;
}

/** Logits and two hidden states of a physical batch, and the logits of one row for each sequence. */
export function computeBytes({ vocabSize, embeddingSize }: GptjConfig): number {
  return (PHYSICAL_BATCH_TOKENS * (vocabSize + 2 * embeddingSize) + MAX_SEQUENCES * vocabSize) * FLOAT_BYTES;
}

/** Without flash attention, the scores of all heads against all cells are in memory at once. */
function exactComputeBytes(config: GptjConfig, cells: number): number {
  const scores = PHYSICAL_BATCH_TOKENS * config.headCount * cells * FLOAT_BYTES;
  const states = PHYSICAL_BATCH_TOKENS * 8 * config.embeddingSize * FLOAT_BYTES;
  return Math.max(computeBytes(config), scores + states + MAX_SEQUENCES * config.vocabSize * FLOAT_BYTES);
}

/** Positions of the second context, which `deterministic` requests use. */
export function isolatedCells({ contextLength }: GptjConfig, cacheCells: number): number {
  return Math.min(cacheCells, 2 * contextLength);
}

/**
 * Plan the memory of a model. Throws `out_of_memory` when it cannot fit, with what would: it is then known before the
 * file is read, and the system does not have to kill a process for it.
 */
export function planMemory(request: MemoryRequest): MemoryPlan {
  const { config, bytesPerValue, fileBytes, machine } = request;
  const perCell = cellBytes(config, bytesPerValue);
  const fixedBytes = fileBytes + computeBytes(config) + PROGRAM_BYTES;
  const leftBytes = machine.freeBytes - fixedBytes;
  const isGiven = request.cacheCells !== undefined || request.cacheBytes !== undefined;
  const cells = isGiven ? givenCells(request, perCell) : defaultCells(request, perCell, leftBytes);
  const isolated = isolatedCells(config, cells);
  const plan: MemoryPlan = {
    weightsBytes: fileBytes,
    cacheCells: cells,
    cacheBytes: cells * perCell,
    computeBytes: computeBytes(config),
    programBytes: PROGRAM_BYTES,
    totalBytes: fixedBytes + cells * perCell,
    isolatedBytes: isolated * perCell + exactComputeBytes(config, isolated),
    machine,
  };
  if (request.refuses && plan.totalBytes > machine.freeBytes) throw refusal(request, plan, leftBytes, perCell);
  return plan;
}

function givenCells({ cacheCells, cacheBytes = 0 }: MemoryRequest, perCell: number): number {
  return Math.max(MAX_SEQUENCES, cacheCells ?? stepDown(cacheBytes / perCell));
}

/** A quarter of the memory and at most what is left of it, but one context at least, and eight at most. */
function defaultCells({ config, machine }: MemoryRequest, perCell: number, leftBytes: number): number {
  const { contextLength } = config;
  const isolatedBytes = 2 * contextLength * perCell + exactComputeBytes(config, 2 * contextLength);
  const affordable = stepDown(Math.min(machine.totalBytes / 4, leftBytes - isolatedBytes) / perCell);
  return Math.max(contextLength, Math.min(MAX_CONTEXTS * contextLength, affordable));
}

function stepDown(cells: number): number {
  return Math.max(0, Math.floor(cells / CELL_STEP) * CELL_STEP);
}

function refusal(
  { config, path, bytesPerValue }: MemoryRequest,
  plan: MemoryPlan,
  leftBytes: number,
  perCell: number,
): ModelError {
  const fitting = stepDown(leftBytes / perCell);
  const remedy =
    fitting >= config.contextLength
      ? `set ENGINE_CACHE_TOKENS=${fitting}, which fits`
      : fitting >= MAX_SEQUENCES
        ? `set ENGINE_CONTEXT=${fitting} and ENGINE_CACHE_TOKENS=${fitting}, which fits texts of ${fitting} tokens`
        : `no setting makes it fit: free ${gigabytes(plan.totalBytes - plan.cacheBytes + MAX_SEQUENCES * cellBytes(config, bytesPerValue))}, or convert it to a smaller type (gptj convert --type q4_0 is the smallest)`;
  return new ModelError(
    'out_of_memory',
    `${path}: expected ${gigabytes(plan.totalBytes)} of free memory (${describeParts(plan)}), got ${gigabytes(plan.machine.freeBytes)} of ${describeMachine(plan.machine)}; ${remedy}. ENGINE_MEMORY_CHECK=off loads it all the same`,
  );
}

/** `weights 3.5 GB, cache 7.5 GB (16384 tokens), compute buffers 0.2 GB, program 0.4 GB` */
export function describeParts(plan: MemoryPlan): string {
  const { weightsBytes, cacheBytes, cacheCells } = plan;
  return `weights ${gigabytes(weightsBytes)}, cache ${gigabytes(cacheBytes)} for ${cacheCells} tokens, compute buffers ${gigabytes(plan.computeBytes)}, program ${gigabytes(plan.programBytes)}`;
}

function describeMachine({ totalBytes, isLimited }: MachineMemory): string {
  return `${gigabytes(totalBytes)}${isLimited ? ', the limit of the container' : ''}`;
}

/** One line about what a model will take, of how much. */
export function describeMemory(plan: MemoryPlan): string {
  return `Memory: ${describeParts(plan)}; ${gigabytes(plan.totalBytes)} in all, of ${gigabytes(plan.machine.freeBytes)} free (${describeMachine(plan.machine)})`;
}

/** `3.5 GB`, decimal; below a tenth of one in MB. */
export function gigabytes(bytes: number): string {
  return bytes < 1e8 ? `${Math.max(0, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
