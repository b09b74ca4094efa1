/** Loops that measure the machine and single products, for benchmarks. They block. */
import { type Matrix, STRUCT_WORDS, WEIGHT_TYPES, type WeightType, Words } from './layout.ts';
import { INSTRUCTION_SETS, type InstructionSet, type KernelLibrary } from './library.ts';
import { addressOf, bytesAt, loadSystem, type Memory } from './system.ts';
import type { ThreadPool } from './thread-pool.ts';

const MULTIPLIER = 0;
const READ = 1;
const PRODUCT = 2;

const LOOPS = 4_000_000;
/** More than the caches of most processors have. */
const READ_BYTES = 512 * 1024 * 1024;

export interface ProductShape {
  readonly type: WeightType;
  /** Multiples of 64. */
  readonly outputs: number;
  readonly inputs: number;
}

/** Measures on some threads of a pool with one instruction set. */
export class Measurements {
  readonly #library: KernelLibrary;
  readonly #words: Words = new Words(new ArrayBuffer(8 * STRUCT_WORDS.measurement));
  readonly #pool: ThreadPool;
  readonly #set: InstructionSet;
  readonly #read: Memory = loadSystem().allocate(READ_BYTES);

  constructor(library: KernelLibrary, pool: ThreadPool, set: InstructionSet) {
    this.#library = library;
    this.#pool = pool;
    this.#set = set;
    new Uint8Array(bytesAt(this.#read.address, READ_BYTES)).fill(1);
  }

  /** Products of bytes per second of all threads, in billions. */
  multiplier(): number {
    this.#put(MULTIPLIER, LOOPS);
    let perLoop = 0;
    const seconds = this.#time(() => {
      perLoop = this.#library.measure(this.#words.integers);
    });
    return (perLoop * LOOPS) / seconds / 1e9;
  }

  /** Bytes per second that all threads read from memory, in billions. */
  read(): number {
    this.#put(READ, 0, this.#read.address, READ_BYTES);
    return READ_BYTES / this.#time(() => this.#library.measure(this.#words.integers)) / 1e9;
  }

  /** A matrix of random weights, and the seconds that its product with some rows takes. */
  openProduct({ type, outputs, inputs }: ProductShape): {
    time(rows: number): number;
    readonly bytes: number;
    free(): void;
  } {
    const units = inputs / 64;
    const bytes = (outputs / 16) * units * this.#library.unitBytes(WEIGHT_TYPES[type]);
    const weights = loadSystem().allocate(bytes + 65536);
    const random = new Uint32Array(bytesAt(weights.address, bytes));
    // Small numbers in every type: the scales of quantised ones, too.
    for (let i = 0; i < random.length; i++) random[i] = Math.imul(i, 2654435761) & 0x0fff_0fff;
    const activations = loadSystem().allocate(128 * units * 256);
    const out = new Float32Array(new ArrayBuffer(128 * outputs * 4));
    const x = new Float32Array(new ArrayBuffer(128 * inputs * 4)).map((_, i) => Math.sin(i));
    const matrix: Matrix = { weights: weights.address, type, groups: outputs / 16, units };
    return {
      bytes,
      time: (rows) => {
        this.#put(PRODUCT, 0, activations.address, 0).putMatrix(matrix).put(rows, addressOf(x), addressOf(out));
        return this.#time(() => this.#library.measure(this.#words.integers));
      },
      free() {
        weights.free();
        activations.free();
      },
    };
  }

  free(): void {
    this.#read.free();
  }

  #put(what: number, loops: number, memory = 0n, bytes = 0): Words {
    const set = INSTRUCTION_SETS.indexOf(this.#set);
    return this.#words.seek(0).put(what, set, this.#pool.threads, this.#pool.address, loops, memory, bytes);
  }

  #time(call: () => void): number {
    const startedAt = performance.now();
    call();
    return (performance.now() - startedAt) / 1000;
  }
}
