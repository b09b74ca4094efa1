/**
 * Bookkeeping of a KV cache's cells. A cell stores one position; a sequence is a list of cells, and forked sequences list
 * the same cells for their common prefix. Only cell numbers are kept here; the engine stores the keys and values.
 *
 * Invariants
 * - `#shares[cell]` is the number of sequences that list the cell; a cell that none lists is on the free stack, once.
 * - A cell is listed at most once per sequence, and a listed cell is never allocated again. So the keys and values of a
 *   position are written once, and a fork neither sees nor overwrites later positions of its source.
 * - A call that throws has changed nothing.
 */
import { ModelError, type SequenceId } from '@gptj-cloud/model';

export interface CacheCellsOptions {
  readonly cells: number;
  readonly maxSequences: number;
}

/** Positions to add at the end of one sequence. */
export interface Growth {
  readonly sequence: SequenceId;
  readonly count: number;
}

/** `Adapters`: what a model keeps of the adapters of a sequence, which its forks share; null: none. */
export class CacheCells<Adapters = never> {
  readonly #shares: Uint32Array;
  /** The first `#free` entries are the free cells; the last of them is allocated first. */
  readonly #freeStack: Uint32Array;
  #free: number;
  /** Index = sequence id. */
  readonly #sequences: (CellList<Adapters> | undefined)[] = [];
  readonly #maxSequences: number;

  constructor(options: CacheCellsOptions) {
    const { cells, maxSequences } = options;
    this.#shares = new Uint32Array(cells);
    this.#freeStack = Uint32Array.from({ length: cells }, (_, i) => cells - 1 - i);
    this.#free = cells;
    this.#maxSequences = maxSequences;
  }

  /** Number of cells that no sequence lists. */
  get free(): number {
    return this.#free;
  }

  /** An empty sequence under the lowest unused id, 0 … maxSequences-1. Throws `too_many_sequences`. */
  open(adapters: Adapters | null = null): SequenceId {
    for (let id = 0; id < this.#maxSequences; id++) {
      if (this.#sequences[id] === undefined) {
        this.#sequences[id] = new CellList(adapters);
        return id;
      }
    }
    throw new ModelError(
      'too_many_sequences',
      `expected at most ${this.#maxSequences} open sequences: release one first`,
    );
  }

  /** Number of positions in the sequence. Throws `unknown_sequence`. */
  length(sequence: SequenceId): number {
    return this.#cellsOf(sequence).length;
  }

  /** The adapters of the sequence; null: none. Throws `unknown_sequence`. */
  adapters(sequence: SequenceId): Adapters | null {
    return this.#cellsOf(sequence).adapters;
  }

  /**
   * Cell of each position, in order: a view of the start of its own buffer, which stays where it is until the next
   * `append`. Later calls change it. Throws `unknown_sequence`.
   */
  cells(sequence: SequenceId): Uint32Array {
    return this.#cellsOf(sequence).view();
  }

  /**
   * A new sequence that lists the first `length` cells of `source`.
   * Throws `unknown_sequence`, `too_many_sequences`, and RangeError for a length that the source does not have.
   */
  fork(source: SequenceId, length: number): SequenceId {
    const cells = this.#cellsOf(source);
    if (!Number.isInteger(length) || length < 0 || length > cells.length) {
      throw new RangeError(`fork: expected a length from 0 to ${cells.length}, got ${length}`);
    }
    const target = this.open(cells.adapters);
    for (const cell of cells.view().subarray(0, length)) {
      this.#shares[cell]!++;
      this.#sequences[target]!.push(cell);
    }
    return target;
  }

  /** A new sequence of `length` positions, none shared. Throws `too_many_sequences`, `cache_full`. */
  restore(length: number, adapters: Adapters | null = null): SequenceId {
    const sequence = this.open(adapters);
    try {
      this.append([{ sequence, count: length }]);
      return sequence;
    } catch (error) {
      this.release(sequence);
      throw error;
    }
  }

  /** Drop the positions from `length` on; none when the sequence is not longer. Throws `unknown_sequence`, RangeError. */
  truncate(sequence: SequenceId, length: number): void {
    const cells = this.#cellsOf(sequence);
    if (!Number.isInteger(length) || length < 0) {
      throw new RangeError(`truncate: expected a length from 0 on, got ${length}`);
    }
    while (cells.length > length) {
      const cell = cells.pop();
      this.#shares[cell]!--;
      if (this.#shares[cell] === 0) this.#freeStack[this.#free++] = cell;
    }
  }

  /** Close the sequence. `open` or `fork` may reuse its id. Throws `unknown_sequence`. */
  release(sequence: SequenceId): void {
    this.truncate(sequence, 0);
    this.#sequences[sequence] = undefined;
  }

  /**
   * Allocate the cells of every growth, all or none. Throws `unknown_sequence`, `cache_full`.
   * To undo an append, truncate the sequences to their earlier lengths.
   */
  append(growths: readonly Growth[]): void {
    let needed = 0;
    for (const { sequence, count } of growths) {
      this.#cellsOf(sequence);
      if (!Number.isInteger(count) || count < 0)
        throw new RangeError(`append: expected a count from 0 on, got ${count}`);
      needed += count;
    }
    if (needed > this.#free) {
      throw new ModelError(
        'cache_full',
        `expected ${needed} free cells of the KV cache's ${this.#shares.length}, found ${this.#free}: release or truncate sequences`,
      );
    }
    for (const { sequence, count } of growths) {
      const cells = this.#cellsOf(sequence);
      for (let i = 0; i < count; i++) {
        const cell = this.#freeStack[--this.#free]!;
        this.#shares[cell] = 1;
        cells.push(cell);
      }
    }
  }

  #cellsOf(sequence: SequenceId): CellList<Adapters> {
    const cells = this.#sequences[sequence];
    if (cells === undefined) {
      throw new ModelError(
        'unknown_sequence',
        `expected an open sequence, got ${sequence}: it was never opened or is released`,
      );
    }
    return cells;
  }
}

/** A growing list of cell numbers in one buffer that C can read. */
class CellList<Adapters> {
  readonly adapters: Adapters | null;
  // An array of 64 bytes or less could be moved by the garbage collector.
  #cells: Uint32Array<ArrayBuffer> = new Uint32Array(64);
  length = 0;

  constructor(adapters: Adapters | null) {
    this.adapters = adapters;
  }

  view(): Uint32Array {
    return this.#cells.subarray(0, this.length);
  }

  push(cell: number): void {
    if (this.length === this.#cells.length) {
      const longer = new Uint32Array(2 * this.length);
      longer.set(this.#cells);
      this.#cells = longer;
    }
    this.#cells[this.length++] = cell;
  }

  /** The last cell, removed. Only where there is one. */
  pop(): number {
    return this.#cells[--this.length]!;
  }
}
