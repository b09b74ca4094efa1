/** What llama.cpp outputs for a batch that it has decoded, cut into the results of its steps. */
import { type GptjConfig, ModelError, type Step, type StepResult } from '@gptj-cloud/model';
import { floatsAt, type LlamaLibrary } from './native.ts';
import type { Pointer } from './native-structs.ts';

export interface DecodedOutputParts {
  readonly library: LlamaLibrary;
  readonly config: GptjConfig;
  readonly context: Pointer;
}

export class DecodedOutput {
  readonly #parts: DecodedOutputParts;
  readonly #views = new Map<Pointer, Float32Array>();

  constructor(parts: DecodedOutputParts) {
    this.#parts = parts;
  }

  /**
   * Cut the library's output into the results of the steps. It has one row per scored position in batch order; while
   * hidden states are enabled, llama.cpp outputs a row for every position of the batch.
   */
  results(steps: readonly Step[], scoredRows: number, everyPosition: boolean): readonly StepResult[] {
    const { library, context, config } = this.#parts;
    const { vocabSize, embeddingSize } = config;
    const rows = everyPosition ? steps.reduce((sum, { tokens }) => sum + tokens.length, 0) : scoredRows;
    const logits = rows === 0 ? null : this.#view(library.logits(context), rows * vocabSize);
    const hidden = everyPosition ? this.#view(library.embeddings(context), rows * embeddingSize) : null;
    let next = 0;
    return steps.map((step) => {
      const scored = step.scored === 'all' ? step.tokens.length : step.scored === 'last' ? 1 : 0;
      next += everyPosition ? step.tokens.length : scored;
      const first = next - scored;
      const cut = (values: Float32Array | null, width: number): Float32Array[] =>
        values === null
          ? []
          : Array.from({ length: scored }, (_, i) => values.subarray((first + i) * width, (first + i + 1) * width));
      return {
        logits: cut(logits, vocabSize),
        hidden: step.hidden === true ? cut(hidden, embeddingSize) : [],
        layers: [],
      };
    });
  }

  /** A view of the library's output. The library reuses a few buffers, so views are kept by address. */
  #view(address: Pointer | null, count: number): Float32Array {
    if (address === null)
      throw new ModelError('engine_failed', 'llama.cpp returned no output for a batch that it decoded');
    let view = this.#views.get(address);
    if (view === undefined || view.length < count) {
      if (this.#views.size > 8) this.#views.clear(); // output buffers were reallocated: drop the old views
      view = floatsAt(address, count);
      this.#views.set(address, view);
    }
    return view.subarray(0, count);
  }

  /** Forget the library's memory, which is about to be freed. */
  clear(): void {
    this.#views.clear();
  }
}

/** A copy of a result, whose rows are views that the next decode overwrites. */
export function copyOf({ logits, hidden, layers }: StepResult): StepResult {
  const copy = (rows: readonly Float32Array[]): readonly Float32Array[] => rows.map((row) => row.slice());
  return { logits: copy(logits), hidden: copy(hidden), layers: layers.map(copy) };
}

/** What a step gives that is computed from numbers that overflowed. */
export function notFinite(step: Step, { vocabSize, embeddingSize }: GptjConfig): StepResult {
  const length = step.scored === 'all' ? step.tokens.length : step.scored === 'last' ? 1 : 0;
  const rows = (width: number): readonly Float32Array[] =>
    Array.from({ length }, () => new Float32Array(width).fill(Number.NaN));
  return { logits: rows(vocabSize), hidden: step.hidden === true ? rows(embeddingSize) : [], layers: [] };
}
