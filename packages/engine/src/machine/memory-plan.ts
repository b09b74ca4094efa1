/** How much memory a model takes, and how much of it the KV cache may have: decided before anything is loaded. */
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import type { MachineMemory } from './machine-memory.ts';

export interface MemoryPlan {
  /** The model file. Its pages may be in memory twice for a while: as read, and rearranged for the processor. */
  readonly weightsBytes: number;
  /** Adapters (LoRA). */
  readonly adapterBytes: number;
  readonly cacheCells: number;
  readonly cacheBytes: number;
  /** Buffers of the evaluations. */
  readonly computeBytes: number;
  /** Server, store and engine without the model. */
  readonly programBytes: number;
  /** The draft model; null where there is none, or too little memory for it. */
  readonly draft: DraftMemory | null;
  /** All of the above. */
  readonly totalBytes: number;
  /** What the context of `deterministic` requests takes in addition, from the first of them on. */
  readonly isolatedBytes: number;
  readonly machine: MachineMemory;
}

/** What a draft model takes. */
export interface DraftMemory {
  readonly weightsBytes: number;
  readonly cacheCells: number;
  readonly cacheBytes: number;
  readonly computeBytes: number;
}

export interface MemoryRequest {
  readonly config: GptjConfig;
  /** Which engine computes: the buffers of their evaluations differ. */
  readonly engine: 'kernels' | 'llama';
  /** Name of the file for the error. */
  readonly path: string;
  readonly fileBytes: number;
  /** Of the files of adapters. Default 0. */
  readonly adapterBytes?: number;
  /** Default: none. */
  readonly draft?: { readonly config: GptjConfig; readonly fileBytes: number } | null;
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
/** Tokens that the kernels compute at once within a batch. */
const KERNEL_ROWS = 128;
/** Sequences of one context, each with room for one row of logits: llama.cpp's limit LLAMA_MAX_SEQ. */
export const MAX_SEQUENCES = 256;
/** Cells come in multiples of this. */
const CELL_STEP = 256;
/** Measured with the embedded store: server 0.5 GB, engine's process 0.1 GB. */
const PROGRAM_BYTES = 600e6;
const FLOAT_BYTES = 4;
/** What several models may take together: the free memory, without what the program takes. */
export function modelBudget({ freeBytes }: MachineMemory): number {
  return Math.max(0, freeBytes - PROGRAM_BYTES);
}

/** Contexts of cache at most, where nothing else is set. */
const MAX_CONTEXTS = 8;

/** Contexts of cache of a draft model. */
const DRAFT_CONTEXTS = 4;

/** Keys and values of one position. */
export function cellBytes({ layerCount, embeddingSize }: GptjConfig, bytesPerValue: number): number {
  return 2 * layerCount * embeddingSize * bytesPerValue;
}

/** Buffers of an evaluation that scores one row of each of 256 sequences. */
export function computeBytes(engine: MemoryRequest['engine'], config: GptjConfig): number {
  const { vocabSize, embeddingSize, feedForwardSize } = config;
  const logits = MAX_SEQUENCES * vocabSize * FLOAT_BYTES;
  // llama.cpp: logits and two hidden states of a physical batch. The kernels: ten rows of the width and two of the MLP's.
  const states =
    engine === 'llama'
      ? PHYSICAL_BATCH_TOKENS * (vocabSize + 2 * embeddingSize)
      : KERNEL_ROWS * (10 * embeddingSize + 2 * feedForwardSize);
  return logits + states * FLOAT_BYTES;
}

/**
 * What the second context of llama.cpp takes, for `deterministic` requests: the kernels need none. Without flash attention,
 * the scores of all heads against all cells are in memory at once.
 */
function isolatedBytes({ engine, config }: MemoryRequest, cells: number, perCell: number): number {
  if (engine !== 'llama') return 0;
  const scores = PHYSICAL_BATCH_TOKENS * config.headCount * cells * FLOAT_BYTES;
  const states = PHYSICAL_BATCH_TOKENS * 8 * config.embeddingSize * FLOAT_BYTES;
  const exact = scores + states + MAX_SEQUENCES * config.vocabSize * FLOAT_BYTES;
  return cells * perCell + Math.max(computeBytes(engine, config), exact);
}

/** Positions of the second context, which `deterministic` requests use. */
export function isolatedCells({ contextLength }: GptjConfig, cacheCells: number): number {
  return Math.min(cacheCells, 2 * contextLength);
}

/**
 * Plan the memory of a model. Throws `out_of_memory` when it cannot fit, with what would: it is then known before the
 * file is read, and the system does not have to kill a process for it. A draft model that does not fit beside it is left out.
 */
export function planMemory(request: MemoryRequest): MemoryPlan {
  const draft = draftMemory(request);
  const plan = planWith(request, draft);
  const fits = ({ totalBytes, machine }: MemoryPlan): boolean => totalBytes <= machine.freeBytes;
  if (!request.refuses || fits(plan)) return plan;
  const without = draft === null ? plan : planWith(request, null);
  if (!fits(without)) throw refusal(request, without);
  return without;
}

function planWith(request: MemoryRequest, draft: DraftMemory | null): MemoryPlan {
  const { config, engine, bytesPerValue, fileBytes, adapterBytes = 0, machine } = request;
  const perCell = cellBytes(config, bytesPerValue);
  const draftBytes = draft === null ? 0 : draft.weightsBytes + draft.cacheBytes + draft.computeBytes;
  const fixedBytes = fileBytes + adapterBytes + computeBytes(engine, config) + PROGRAM_BYTES + draftBytes;
  const isGiven = request.cacheCells !== undefined || request.cacheBytes !== undefined;
  const cells = isGiven ? givenCells(request, perCell) : defaultCells(request, perCell, machine.freeBytes - fixedBytes);
  return {
    weightsBytes: fileBytes,
    adapterBytes,
    cacheCells: cells,
    cacheBytes: cells * perCell,
    computeBytes: computeBytes(engine, config),
    programBytes: PROGRAM_BYTES,
    draft,
    totalBytes: fixedBytes + cells * perCell,
    isolatedBytes: isolatedBytes(request, isolatedCells(config, cells), perCell),
    machine,
  };
}

/** A draft model has cells for a few of the longest texts: where more are under way, some are not drafted. */
function draftMemory({ draft = null, engine, config, bytesPerValue }: MemoryRequest): DraftMemory | null {
  if (draft === null) return null;
  const cacheCells = DRAFT_CONTEXTS * Math.min(config.contextLength, draft.config.contextLength);
  return {
    weightsBytes: draft.fileBytes,
    cacheCells,
    cacheBytes: cacheCells * cellBytes(draft.config, bytesPerValue),
    computeBytes: computeBytes(engine, draft.config),
  };
}

function givenCells({ cacheCells, cacheBytes = 0 }: MemoryRequest, perCell: number): number {
  return Math.max(MAX_SEQUENCES, cacheCells ?? stepDown(cacheBytes / perCell));
}

/** A quarter of the memory and at most what is left of it, but one context at least, and eight at most. */
function defaultCells(request: MemoryRequest, perCell: number, leftBytes: number): number {
  const { config, machine } = request;
  const { contextLength } = config;
  const kept = isolatedBytes(request, 2 * contextLength, perCell);
  const affordable = stepDown(Math.min(machine.totalBytes / 4, leftBytes - kept) / perCell);
  return Math.max(contextLength, Math.min(MAX_CONTEXTS * contextLength, affordable));
}

function stepDown(cells: number): number {
  return Math.max(0, Math.floor(cells / CELL_STEP) * CELL_STEP);
}

function refusal({ config, path, bytesPerValue }: MemoryRequest, plan: MemoryPlan): ModelError {
  const perCell = cellBytes(config, bytesPerValue);
  const leftBytes = plan.machine.freeBytes - (plan.totalBytes - plan.cacheBytes);
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
  const { weightsBytes, adapterBytes, cacheBytes, cacheCells, draft } = plan;
  const adapters = adapterBytes === 0 ? '' : `adapters ${gigabytes(adapterBytes)}, `;
  const drafting =
    draft === null ? '' : `draft model ${gigabytes(draft.weightsBytes + draft.cacheBytes + draft.computeBytes)}, `;
  return `weights ${gigabytes(weightsBytes)}, ${adapters}cache ${gigabytes(cacheBytes)} for ${cacheCells} tokens, compute buffers ${gigabytes(plan.computeBytes)}, ${drafting}program ${gigabytes(plan.programBytes)}`;
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
