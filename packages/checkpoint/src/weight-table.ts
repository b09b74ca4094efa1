import type { GptjConfig } from '@gptj-cloud/model';
import { BandMemory } from './band-memory.ts';
import type { BoundedFile } from './bounded-file.ts';
import type { Checkpoint, CheckpointFormat, CheckpointTensor, CheckpointTokenizer } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import type { RowReader } from './strided-rows.ts';
import { rowBytes, rowsOf } from './tensor-type.ts';

/** A weight and how its rows are read. */
export interface TableWeight extends CheckpointTensor {
  /** Rows in the weight's `type`. */
  readonly openRows: (memory: BandMemory) => RowReader;
}

export interface WeightTable {
  readonly format: CheckpointFormat;
  readonly form: string | null;
  readonly path: string;
  readonly modelName: string;
  readonly config: GptjConfig;
  /** Closed with the checkpoint. */
  readonly files: readonly Pick<BoundedFile, 'close'>[];
  /** In the order of `gptjTensors(config)`. */
  readonly weights: readonly TableWeight[];
  readonly warnings: readonly string[];
  readonly readTokenizer: () => Promise<CheckpointTokenizer>;
}

/** An open checkpoint whose weights are read one by one from files. */
export class TableCheckpoint implements Checkpoint {
  readonly format: CheckpointFormat;
  readonly form: string | null;
  readonly path: string;
  readonly modelName: string;
  readonly config: GptjConfig;
  readonly tensors: readonly CheckpointTensor[];
  readonly warnings: readonly string[];
  readonly readTokenizer: () => Promise<CheckpointTokenizer>;
  readonly #files: WeightTable['files'];
  readonly #weights: ReadonlyMap<string, TableWeight>;
  readonly #memory = new BandMemory();
  /** Reader of the last tensor, reused because the reader of a transposed tensor caches many rows. */
  #last: { readonly name: string; readonly reader: RowReader } | null = null;
  #prepared: { readonly name: string; readonly reader: RowReader } | null = null;

  constructor({ format, form, path, modelName, config, files, weights, warnings, readTokenizer }: WeightTable) {
    this.format = format;
    this.form = form;
    this.path = path;
    this.modelName = modelName;
    this.config = config;
    this.tensors = weights.map(({ openRows: _, ...tensor }) => tensor);
    this.warnings = warnings;
    this.readTokenizer = readTokenizer;
    this.#files = files;
    this.#weights = new Map(weights.map((weight) => [weight.name, weight]));
  }

  async readRows(name: string, firstRow: number, target: Uint8Array): Promise<void> {
    const weight = this.#weights.get(name);
    const place = { file: this.path, tensor: name };
    if (weight === undefined) {
      throw new CheckpointError('missing_tensor', place, 'expected the name of a weight');
    }
    const start = firstRow * rowBytes(weight.type, rowsOf(weight.shape).rowLength);
    if (start < 0 || start + target.byteLength > weight.sizeBytes) {
      throw new CheckpointError(
        'truncated',
        place,
        `expected rows within ${weight.sizeBytes} bytes, got ${target.byteLength} bytes from ${start} on`,
      );
    }
    if (this.#last?.name !== name) {
      this.#last?.reader.release();
      const prepared = this.#prepared?.name === name ? this.#prepared : null;
      if (prepared !== null) this.#prepared = null;
      this.#last = prepared ?? { name, reader: weight.openRows(this.#memory) };
    }
    await this.#last.reader.read(firstRow, target);
  }

  prepare(name: string): void {
    const weight = this.#weights.get(name);
    if (weight === undefined || this.#last?.name === name || this.#prepared?.name === name) return;
    const reader = weight.openRows(this.#memory);
    reader.prepare?.();
    this.#prepared = { name, reader };
  }

  takeMemory(sizeBytes: number): Uint8Array {
    return this.#memory.takePiece(sizeBytes);
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}
