/** The result of one case of a golden file. */
export type GoldenResult =
  | { readonly name: string; readonly passed: true }
  | { readonly name: string; readonly passed: false; readonly expected: string; readonly got: string };

/**
 * Runs every case of one kind of golden file, given its text. Throws when the text is not of that format; a case that
 * throws is a failed case, never the end of the run.
 */
export type GoldenRunner = (text: string) => AsyncIterable<GoldenResult> | Iterable<GoldenResult>;
