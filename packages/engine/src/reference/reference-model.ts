/**
 * The reference engine: GPT-J in plain TypeScript behind the `LanguageModel` interface. It is written for clarity rather
 * than speed, and other engines are tested against it.
 *
 * States: open → (evaluating ↔ open) → closed. Invariant: `#memory` is null once `close` was called.
 *
 * Rounding: positions are computed one by one, each from its own tokens alone, so results are bit-identical whatever the
 * batch contains and however a prompt is cut into steps.
 */
import { setImmediate } from 'node:timers/promises';
import {
  type AdapterLayer,
  type AdapterUse,
  type GptjConfig,
  type LanguageModel,
  type ModelCapabilities,
  ModelError,
  type ModelLimits,
  type SequenceId,
  type Step,
  type StepResult,
} from '@gptj-cloud/model';
import { resolveAdapters } from '../adapters/resolve-adapters.ts';
import { CacheCells } from '../cache-cells.ts';
import { checkSteps } from '../check-steps.ts';
import {
  type AdapterInUse,
  createState,
  finalNorm,
  forward,
  type GptjState,
  type GptjWeights,
  logitsOf,
  type Place,
  readWeights,
  type WeightSource,
} from './gptj.ts';

export interface ReferenceModelOptions {
  /** Read once, while the model opens. */
  readonly weights: WeightSource;
  /** Adapters by name, layer by layer, rows in GPT-J's order. Default: none. */
  readonly adapters?: ReadonlyMap<string, readonly AdapterLayer[]>;
  /** Positions of KV cache over all sequences. Default: as many as fit into 1 GiB, at least one context and at most eight. */
  readonly cacheCells?: number;
  /** Default 256. */
  readonly maxSequences?: number;
  /** Maximum number of tokens in one `evaluate`. Default 2048. */
  readonly maxBatchTokens?: number;
}

/** Cells that 1 GiB of float32 keys and values holds. */
function defaultCacheCells(config: GptjConfig): number {
  const bytesPerCell = 2 * config.layerCount * config.embeddingSize * Float32Array.BYTES_PER_ELEMENT;
  const affordable = Math.floor(2 ** 30 / bytesPerCell);
  return Math.max(config.contextLength, Math.min(8 * config.contextLength, affordable));
}

/** Load a model. Throws `model_file_invalid` for tensors of a wrong size, and every error of the source. */
export async function openReferenceModel(options: ReferenceModelOptions): Promise<LanguageModel> {
  const { config } = options.weights;
  const limits: ModelLimits = {
    maxSequences: options.maxSequences ?? 256,
    cacheCells: options.cacheCells ?? defaultCacheCells(config),
    maxBatchTokens: options.maxBatchTokens ?? 2048,
    tokensAtOnce: 1,
  };
  const weights = await readWeights(options.weights);
  const memory = { weights, adapters: options.adapters ?? new Map(), state: createState(config, limits.cacheCells) };
  return new ReferenceModel(config, limits, memory);
}

/** The memory that `close` releases; a running evaluation keeps a reference until it ends. */
interface Memory {
  readonly weights: GptjWeights;
  readonly adapters: ReadonlyMap<string, readonly AdapterLayer[]>;
  readonly state: GptjState;
}

class ReferenceModel implements LanguageModel {
  readonly config: GptjConfig;
  readonly limits: ModelLimits;
  readonly #cells: CacheCells<readonly AdapterInUse[]>;
  #memory: Memory | null;
  #running: Promise<unknown> | null = null;
  #closing: Promise<void> | null = null;

  constructor(config: GptjConfig, limits: ModelLimits, memory: Memory) {
    this.config = config;
    this.limits = limits;
    this.#memory = memory;
    this.#cells = new CacheCells({ cells: limits.cacheCells, maxSequences: limits.maxSequences });
  }

  get capabilities(): ModelCapabilities {
    return { earlyExit: true, adapters: [...(this.#memory?.adapters.keys() ?? [])] };
  }

  get freeCells(): number {
    return this.#cells.free;
  }

  open(adapters: readonly AdapterUse[] = []): SequenceId {
    return this.#cells.open(resolveAdapters(this.#idle().adapters, adapters));
  }

  length(sequence: SequenceId): number {
    return this.#cells.length(sequence);
  }

  fork(source: SequenceId, length: number = this.length(source)): SequenceId {
    this.#idle();
    return this.#cells.fork(source, length);
  }

  truncate(sequence: SequenceId, length: number): void {
    this.#idle();
    this.#cells.truncate(sequence, length);
  }

  release(sequence: SequenceId): void {
    this.#idle();
    this.#cells.release(sequence);
  }

  async evaluate(steps: readonly Step[], signal?: AbortSignal): Promise<readonly StepResult[]> {
    const memory = this.#idle();
    if (signal?.aborted) throw aborted(signal);
    checkSteps(this, steps);
    const lengths = steps.map((step) => this.length(step.sequence));
    this.#cells.append(steps.map((step) => ({ sequence: step.sequence, count: step.tokens.length })));
    const running = this.#compute(memory, steps, lengths, signal);
    this.#running = running;
    try {
      return await running;
    } catch (error) {
      steps.forEach((step, i) => {
        this.#cells.truncate(step.sequence, lengths[i]!);
      });
      throw error;
    } finally {
      this.#running = null;
    }
  }

  snapshot(sequence: SequenceId): Uint8Array {
    const { state } = this.#idle();
    const cells = this.#cells.cells(sequence);
    const { embeddingSize: d } = this.config;
    const rows = new Float32Array(this.#rowsOfCell * cells.length * d);
    let at = 0;
    for (const layer of [...state.keys, ...state.values]) {
      for (const cell of cells) {
        rows.set(layer.subarray(cell * d, (cell + 1) * d), d * at);
        at++;
      }
    }
    return new Uint8Array(rows.buffer);
  }

  restore(bytes: Uint8Array, length: number, adapters: readonly AdapterUse[] = []): SequenceId {
    const { state, adapters: loaded } = this.#idle();
    const { embeddingSize: d } = this.config;
    const expected = this.#rowsOfCell * length * d * Float32Array.BYTES_PER_ELEMENT;
    if (bytes.byteLength !== expected) {
      throw new ModelError(
        'snapshot_invalid',
        `expected ${expected} bytes of keys and values for ${length} positions, got ${bytes.byteLength}`,
      );
    }
    const sequence = this.#cells.restore(length, resolveAdapters(loaded, adapters));
    const rows = new Float32Array(new Uint8Array(bytes).buffer);
    let at = 0;
    for (const layer of [...state.keys, ...state.values]) {
      for (const cell of this.#cells.cells(sequence)) {
        layer.set(rows.subarray(d * at, d * (at + 1)), cell * d);
        at++;
      }
    }
    return sequence;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#memory = null;
    // A failed evaluation reports to its own caller; here the result is ignored.
    await this.#running?.catch(() => {});
  }

  /** Number of rows of the embedding size in a cell: keys and values of every layer. */
  get #rowsOfCell(): number {
    return 2 * this.config.layerCount;
  }

  /** @param lengths positions of each step's sequence before the step */
  async #compute(
    memory: Memory,
    steps: readonly Step[],
    lengths: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<readonly StepResult[]> {
    const results: StepResult[] = [];
    for (const [i, step] of steps.entries()) {
      const rows = newRows(step);
      for (const [j, token] of step.tokens.entries()) {
        // Let timers, sockets and the signal run between positions.
        await setImmediate();
        if (signal?.aborted) throw aborted(signal);
        const scored = step.scored === 'all' || (step.scored === 'last' && j === step.tokens.length - 1);
        const place = {
          token,
          position: lengths[i]! + j,
          cells: this.#cells.cells(step.sequence),
          adapters: this.#cells.adapters(step.sequence),
        };
        this.#position(memory, place, step, scored ? rows : null);
      }
      results.push(rows);
    }
    return results;
  }

  /** Take one position through the network; add its rows to `rows` when it is scored. */
  #position(memory: Memory, place: Place, step: Step, rows: Rows | null): void {
    const { config } = this;
    const { weights, state } = memory;
    forward(config, weights, state, place, (layer) => {
      if (rows === null) return;
      step.layers?.forEach((requested, i) => {
        if (requested === layer) rows.layers[i]!.push(logitsOf(config, weights, state.x));
      });
    });
    if (rows === null) return;
    const hidden = finalNorm(config, weights, state);
    rows.logits.push(logitsOf(config, weights, hidden));
    if (step.hidden === true) rows.hidden.push(hidden);
  }

  #idle(): Memory {
    if (this.#memory === null) throw new ModelError('closed', 'the model is closed');
    if (this.#running !== null) throw new Error('one call at a time: an evaluation is still running');
    return this.#memory;
  }
}

/** The result of a step that is being computed. */
interface Rows extends StepResult {
  readonly logits: Float32Array[];
  readonly hidden: Float32Array[];
  readonly layers: Float32Array[][];
}

function newRows(step: Step): Rows {
  return { logits: [], hidden: [], layers: (step.layers ?? []).map(() => []) };
}

function aborted(signal: AbortSignal): ModelError {
  return new ModelError('aborted', 'the evaluation was aborted', { cause: signal.reason });
}
