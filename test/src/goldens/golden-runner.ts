/** The result of one case of a golden file. */
export type GoldenResult =
  | { readonly name: string; readonly passed: true }
  | { readonly name: string; readonly passed: false; readonly expected: string; readonly got: string };

/**
 * Runs every case of one kind of golden file, given its text and the folder that it is in. Throws when the text is not of that
 * format; a case that throws is a failed case, never the end of the run.
 */
export type GoldenRunner = (text: string, folder: string) => AsyncIterable<GoldenResult> | Iterable<GoldenResult>;

/** A case that compares two texts. */
export function compareTexts(name: string, expected: string, got: string): GoldenResult {
  return expected === got ? { name, passed: true } : { name, passed: false, expected, got };
}
