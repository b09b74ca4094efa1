/** How much the columns of a matrix matter, from the inputs of a text: what a quantiser weighs its errors by. */
export interface ImportanceMatrix {
  readonly chunkCount: number;
  /** Tokens of a chunk. */
  readonly chunkSize: number;
  /** By GGUF name of the matrix. */
  readonly entries: ReadonlyMap<string, ImportanceEntry>;
}

export interface ImportanceEntry {
  /** Sum of the squared inputs of each column. */
  readonly squares: Float32Array;
  /** Inputs that were summed. */
  readonly rows: number;
}
