/** A step of the kernels as TypeScript values, written into the struct that C reads. */
import type { GptjConfig } from '@gptj-cloud/model';
import { MAX_ROWS, STEP_FIELDS, STRUCT_WORDS, Words } from './layout.ts';
import { INSTRUCTION_SETS, type InstructionSet, type KernelLibrary } from './library.ts';
import type { PackedAdapter } from './packed-adapter.ts';
import type { PackedWeights } from './packed-weights.ts';
import { type Address, addressOf, bytesAt, loadSystem, type Memory } from './system.ts';
import type { ThreadPool } from './thread-pool.ts';

/** Tokens to append to one sequence. */
export interface Appended {
  readonly tokens: ArrayLike<number>;
  /** Position of the first token in the sequence. */
  readonly position: number;
  /** Cell of every position of the sequence, from the first to the last appended one; starts its own buffer. */
  readonly cells: Uint32Array;
  /** Default: none. */
  readonly adapters?: AdapterUses | null;
}

/** Adapters and their scales as the kernels read them: structs `adapter_use`. */
export interface AdapterUses {
  readonly count: number;
  readonly words: BigInt64Array<ArrayBuffer>;
}

export function adapterUses(uses: readonly { readonly adapter: PackedAdapter; readonly scale: number }[]): AdapterUses {
  // An array of 64 bytes or less could be moved by the garbage collector.
  const words = new Words(new ArrayBuffer(8 * Math.max(16, uses.length * STRUCT_WORDS.adapterUse)));
  for (const { adapter, scale } of uses) words.put(adapter.layers).putFloat(scale);
  return { count: uses.length, words: words.integers };
}

/** A row of logits to compute. */
export interface Output {
  /** Index over the tokens of all sequences. */
  readonly row: number;
  /** -1 after the last layer and the final norm; otherwise before this layer. */
  readonly layer: number;
  /** Receives one value per vocabulary entry. */
  readonly logits: Address;
  /** Receives the hidden state after the final norm, where it is not null. */
  readonly hidden: Address | null;
}

export interface KernelCache {
  readonly cells: number;
  readonly type: 'f16' | 'f32';
}

/** Bytes of keys and values of one cell in all layers. */
function cellBytes({ layerCount, headCount, embeddingSize }: GptjConfig, type: KernelCache['type']): number {
  return 2 * layerCount * headCount * paddedHead(embeddingSize / headCount) * (type === 'f16' ? 2 : 4);
}

function paddedHead(size: number): number {
  return Math.ceil(size / 16) * 16;
}

/** Memory of a KV cache, and what computes steps on it. One step at a time. */
export class KernelContext {
  readonly bytesOfCell: number;
  readonly #library: KernelLibrary;
  readonly #cache: KernelCache;
  readonly #weights: PackedWeights;
  readonly #pool: ThreadPool;
  readonly #stepBytes: () => number;
  readonly #keys: Memory;
  readonly #values: Memory;
  #memory: Memory;
  /** Room for adapters in `#memory`. */
  #lowered: number;
  readonly #step: BigInt64Array<ArrayBuffer> = new BigInt64Array(STRUCT_WORDS.step);
  readonly #abort: Uint8Array<ArrayBuffer> = new Uint8Array(new ArrayBuffer(64));
  readonly #tokens: Int32Array<ArrayBuffer> = new Int32Array(MAX_ROWS);
  // Arrays that C reads during a step are fields: a local variable's memory could be collected meanwhile.
  #sequences: Words = new Words(new ArrayBuffer(8 * STRUCT_WORDS.sequence));
  #outputs: Words = new Words(new ArrayBuffer(8 * STRUCT_WORDS.output));
  #exits: Float32Array<ArrayBuffer> = new Float32Array(new ArrayBuffer(0));
  #isFree = false;

  /** Throws `out_of_memory`. */
  constructor(
    library: KernelLibrary,
    weights: PackedWeights,
    pool: ThreadPool,
    cache: KernelCache,
    set: InstructionSet,
  ) {
    const system = loadSystem();
    this.bytesOfCell = cellBytes(weights.config, cache.type);
    const bytes = (cache.cells * this.bytesOfCell) / 2;
    this.#library = library;
    this.#weights = weights;
    this.#pool = pool;
    this.#cache = cache;
    this.#keys = system.allocate(bytes);
    this.#values = system.allocate(bytes);
    this.#stepBytes = () => library.stepBytes(weights.model, pool.threads, set);
    this.#memory = system.allocate(this.#stepBytes());
    this.#lowered = weights.lowered;
    this.#set({
      model: weights.model,
      keys: this.#keys.address,
      values: this.#values.address,
      cells: cache.cells,
      wide: cache.type === 'f32' ? 1 : 0,
      memory: this.#memory.address,
      set: INSTRUCTION_SETS.indexOf(set),
      pool: pool.address,
      threads: pool.threads,
      abort: addressOf(this.#abort),
      tokens: addressOf(this.#tokens),
    });
  }

  /** Let the running step end soon. It then returns `STEP_ABORTED`. */
  abort(): void {
    this.#abort[0] = 1;
  }

  /**
   * Compute a step of 1 to `MAX_ROWS` tokens. Resolves with `STEP_DONE` or `STEP_ABORTED`.
   *
   * @param blocks whether to compute it on the calling thread, which `abort` cannot reach meanwhile
   */
  async run(
    appended: readonly Appended[],
    outputs: readonly Output[],
    { blocks }: { readonly blocks: boolean },
  ): Promise<number> {
    if (this.#lowered < this.#weights.lowered) this.#enlarge();
    const rows = appended.reduce((sum, { tokens }) => sum + tokens.length, 0);
    this.#sequences = roomFor(this.#sequences, appended.length * STRUCT_WORDS.sequence).seek(0);
    let firstRow = 0;
    for (const sequence of appended) {
      this.#tokens.set(sequence.tokens, firstRow);
      const { adapters = null } = sequence;
      this.#sequences
        .put(firstRow, sequence.tokens.length, sequence.position, addressOf(sequence.cells))
        .put(adapters?.count ?? 0, adapters === null ? 0 : addressOf(adapters.words));
      firstRow += sequence.tokens.length;
    }
    this.#outputs = roomFor(this.#outputs, outputs.length * STRUCT_WORDS.output).seek(0);
    for (const { row, layer, logits, hidden } of outputs) this.#outputs.put(row, layer, logits, hidden ?? 0);
    const exits = outputs.length * Math.ceil(this.#weights.config.embeddingSize / 64) * 64;
    if (this.#exits.length < exits) this.#exits = new Float32Array(new ArrayBuffer(4 * Math.max(exits, 1024)));
    this.#abort[0] = 0;
    this.#set({
      rows,
      sequences: appended.length,
      sequence: addressOf(this.#sequences.integers),
      outputs: outputs.length,
      output: addressOf(this.#outputs.integers),
      exits: addressOf(this.#exits),
    });
    return blocks ? this.#library.stepHere(this.#step) : await this.#library.step(this.#step);
  }

  /**
   * The rows of keys and values of some cells, run by run of consecutive cells: for keys and then values, layer by layer,
   * head by head. Views of the cache, valid until `free`.
   */
  *cachedRows(cells: ArrayLike<number>): Generator<Uint8Array> {
    const { layerCount, headCount, embeddingSize } = this.#weights.config;
    const rowBytes = paddedHead(embeddingSize / headCount) * (this.#cache.type === 'f16' ? 2 : 4);
    for (const memory of [this.#keys, this.#values]) {
      const all = new Uint8Array(bytesAt(memory.address, memory.bytes));
      for (let head = 0; head < layerCount * headCount; head++) {
        const base = head * this.#cache.cells;
        for (let i = 0; i < cells.length; ) {
          let next = i + 1;
          while (next < cells.length && cells[next] === cells[next - 1]! + 1) next++;
          const start = (base + cells[i]!) * rowBytes;
          yield all.subarray(start, start + (next - i) * rowBytes);
          i = next;
        }
      }
    }
  }

  /** Call it when no step runs, before the pool is closed. Idempotent. */
  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.#library.restPool(this.#pool.address);
    for (const memory of [this.#keys, this.#values, this.#memory]) memory.free();
  }

  /** Adapters were loaded that need more room. */
  #enlarge(): void {
    const memory = loadSystem().allocate(this.#stepBytes());
    this.#library.restPool(this.#pool.address);
    this.#memory.free();
    this.#memory = memory;
    this.#lowered = this.#weights.lowered;
    this.#set({ memory: memory.address });
  }

  #set(fields: Partial<Record<(typeof STEP_FIELDS)[number], bigint | number>>): void {
    for (const [i, field] of STEP_FIELDS.entries()) {
      const value = fields[field];
      if (value !== undefined) this.#step[i] = BigInt(value);
    }
  }
}

function roomFor(words: Words, count: number): Words {
  return words.integers.length >= count ? words : new Words(new ArrayBuffer(8 * count * 2));
}
