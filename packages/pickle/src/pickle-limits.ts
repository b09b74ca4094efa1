/** Bounds on the work and memory a pickle may cause. Counts, unless a unit is named. */
export interface PickleLimits {
  readonly inputBytes: number;
  /** Values and marks on the stack. */
  readonly stack: number;
  readonly memo: number;
  /** Lists, tuples and dicts created. */
  readonly containers: number;
  /** Containers within containers; a flat list is 1 deep. */
  readonly depth: number;
  /** Values and keys of the result with aliases expanded: a container referenced twice counts twice. */
  readonly nodes: number;
  /** UTF-16 units of all strings of the result, with aliases expanded. */
  readonly text: number;
  /** Bytes of one integer. */
  readonly integerBytes: number;
}

/** For a request body: far above any real one, far below the memory of the process. */
export const DEFAULT_PICKLE_LIMITS: PickleLimits = {
  inputBytes: 16 * 2 ** 20,
  stack: 1_000_000,
  memo: 1_000_000,
  containers: 250_000,
  depth: 500,
  nodes: 1_000_000,
  text: 32 * 2 ** 20,
  integerBytes: 1024,
};
