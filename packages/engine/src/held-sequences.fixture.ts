/** Sequences that tests open on a model, released after each test, with helpers to evaluate and compare them. */
import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import type {
  AdapterUse,
  LanguageModel,
  ModelErrorCode,
  SequenceId,
  Step,
  StepResult,
  TokenId,
} from '@gptj-cloud/model';

/** The options of a step: `feed` adds the sequence and the tokens. */
type StepOptions = Partial<Pick<Step, 'scored' | 'hidden' | 'layers'>>;

export interface HeldSequences {
  readonly held: ReadonlySet<SequenceId>;
  open(adapters?: readonly AdapterUse[]): SequenceId;
  fork(source: SequenceId, length?: number): SequenceId;
  /** Release the sequence after the test. */
  hold(sequence: SequenceId): SequenceId;
  release(sequence: SequenceId): void;
  /** Arbitrary tokens, the same for the same arguments. */
  tokens(count: number, seed: number): TokenId[];
  /** Evaluate one step of one sequence. The result is a copy. */
  feed(sequence: SequenceId, tokens: readonly TokenId[], options?: StepOptions): Promise<StepResult>;
  /** Assert that rows differ by at most the tolerance. */
  near(actual: readonly Float32Array[], expected: readonly Float32Array[]): void;
  /** Assert that two rows differ by clearly more than the tolerance. */
  farApart(a: Float32Array, b: Float32Array): void;
  /** Assert that `act` fails with the code and changes neither lengths nor the number of free cells. */
  refuses(code: ModelErrorCode, act: () => unknown): Promise<void>;
}

/** Call it in a `describe`. After each test it releases the sequences and asserts that all cells are free. */
export function holdSequences(model: () => LanguageModel, tolerance: number): HeldSequences {
  const held = new Set<SequenceId>();
  afterEach(() => {
    for (const sequence of held) model().release(sequence);
    held.clear();
    assert.equal(model().freeCells, model().limits.cacheCells, 'cells were lost');
  });

  const open = (adapters?: readonly AdapterUse[]): SequenceId => hold(model().open(adapters));
  const fork = (source: SequenceId, length?: number): SequenceId => hold(model().fork(source, length));
  const hold = (sequence: SequenceId): SequenceId => {
    held.add(sequence);
    return sequence;
  };
  const release = (sequence: SequenceId): void => {
    held.delete(sequence);
    model().release(sequence);
  };
  const tokens = (count: number, seed: number): TokenId[] =>
    Array.from({ length: count }, (_, i) => (seed * 7919 + i * 104_729 + i * i * 31) % model().config.vocabSize);
  const feed = async (
    sequence: SequenceId,
    added: readonly TokenId[],
    options: StepOptions = {},
  ): Promise<StepResult> => {
    const [result] = await model().evaluate([{ sequence, tokens: added, scored: 'last', ...options }]);
    return copied(result!);
  };
  const near = (actual: readonly Float32Array[], expected: readonly Float32Array[]): void => {
    assert.equal(actual.length, expected.length, 'number of rows');
    actual.forEach((row, i) => {
      const difference = distance(row, expected[i]!);
      assert.ok(difference <= tolerance, `row ${i}: expected a difference of at most ${tolerance}, got ${difference}`);
    });
  };
  const farApart = (a: Float32Array, b: Float32Array): void => {
    const difference = distance(a, b);
    assert.ok(difference > Math.max(1e-2, 2 * tolerance), `the rows differ by ${difference} only`);
  };
  const refuses = async (code: ModelErrorCode, act: () => unknown): Promise<void> => {
    const state = (): unknown => [model().freeCells, [...held].map((sequence) => model().length(sequence))];
    const before = state();
    await assert.rejects(async () => act(), { name: 'ModelError', code });
    assert.deepEqual(state(), before, 'the failed call changed the state');
  };
  return { held, open, fork, hold, release, tokens, feed, near, farApart, refuses };
}

/** Largest difference of two rows; infinite when one of them has a value that is not finite. */
function distance(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length, 'length of a row');
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs(a[i]! - b[i]!);
    if (!(apart <= max)) max = Number.isFinite(apart) ? apart : Number.POSITIVE_INFINITY;
  }
  return max;
}

/** A copy of a result, whose rows are views that the next call on the model overwrites. */
export function copied(result: StepResult): StepResult {
  const copy = (rows: readonly Float32Array[]): Float32Array[] => rows.map((row) => row.slice());
  return { logits: copy(result.logits), hidden: copy(result.hidden), layers: result.layers.map(copy) };
}
