/** What tests do with a model: they hold sequences, feed them and compare rows; what they hold is given back after each. */
import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import type { LanguageModel, ModelErrorCode, SequenceId, Step, StepResult, TokenId } from '@gptj-cloud/model';

/** A step without the sequence and tokens, which `feed` fills in. */
type Wanted = Partial<Pick<Step, 'scored' | 'hidden' | 'layers'>>;

export interface HeldSequences {
  readonly held: ReadonlySet<SequenceId>;
  open(): SequenceId;
  fork(source: SequenceId, length?: number): SequenceId;
  /** Give it back after the test. */
  hold(sequence: SequenceId): SequenceId;
  release(sequence: SequenceId): void;
  /** Arbitrary tokens, the same for the same arguments. */
  words(count: number, seed: number): TokenId[];
  /** One step of one sequence; the result is a copy. */
  feed(sequence: SequenceId, tokens: readonly TokenId[], wanted?: Wanted): Promise<StepResult>;
  /** Rows differ by the tolerance at most. */
  near(actual: readonly Float32Array[], expected: readonly Float32Array[]): void;
  /** Rows differ by clearly more. */
  farApart(a: Float32Array, b: Float32Array): void;
  /** `act` fails with the code, and neither lengths nor free cells have changed. */
  refuses(code: ModelErrorCode, act: () => unknown): Promise<void>;
}

/** Call it where tests are declared. After each of them no cell of the model may be in use but by what it gave back. */
export function holdSequences(model: () => LanguageModel, tolerance: number): HeldSequences {
  const held = new Set<SequenceId>();
  afterEach(() => {
    for (const sequence of held) model().release(sequence);
    held.clear();
    assert.equal(model().freeCells, model().limits.cacheCells, 'cells were lost');
  });

  const open = (): SequenceId => hold(model().open());
  const fork = (source: SequenceId, length?: number): SequenceId => hold(model().fork(source, length));
  const hold = (sequence: SequenceId): SequenceId => {
    held.add(sequence);
    return sequence;
  };
  const release = (sequence: SequenceId): void => {
    held.delete(sequence);
    model().release(sequence);
  };
  const words = (count: number, seed: number): TokenId[] =>
    Array.from({ length: count }, (_, i) => (seed * 7919 + i * 104_729 + i * i * 31) % model().config.vocabSize);
  const feed = async (sequence: SequenceId, tokens: readonly TokenId[], wanted: Wanted = {}): Promise<StepResult> => {
    const [result] = await model().evaluate([{ sequence, tokens, scored: 'last', ...wanted }]);
    return copied(result!);
  };
  const near = (actual: readonly Float32Array[], expected: readonly Float32Array[]): void => {
    assert.equal(actual.length, expected.length, 'number of rows');
    actual.forEach((row, i) => {
      const apart = distance(row, expected[i]!);
      assert.ok(apart <= tolerance, `row ${i}: ${apart} apart, at most ${tolerance} allowed`);
    });
  };
  const farApart = (a: Float32Array, b: Float32Array): void => {
    const apart = distance(a, b);
    assert.ok(apart > Math.max(1e-2, 2 * tolerance), `only ${apart} apart`);
  };
  const refuses = async (code: ModelErrorCode, act: () => unknown): Promise<void> => {
    const state = (): unknown => [model().freeCells, [...held].map((sequence) => model().length(sequence))];
    const earlier = state();
    await assert.rejects(async () => act(), { name: 'ModelError', code });
    assert.deepEqual(state(), earlier, 'the failed call changed the state');
  };
  return { held, open, fork, hold, release, words, feed, near, farApart, refuses };
}

/** Largest difference of two rows, infinite when one of them holds something else than finite numbers. */
function distance(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length, 'length of a row');
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs(a[i]! - b[i]!);
    if (!(apart <= max)) max = Number.isFinite(apart) ? apart : Number.POSITIVE_INFINITY;
  }
  return max;
}

/** A result's rows are views that the next call on the model ends. */
export function copied(result: StepResult): StepResult {
  const copy = (rows: readonly Float32Array[]): Float32Array[] => rows.map((row) => row.slice());
  return { logits: copy(result.logits), hidden: copy(result.hidden), layers: result.layers.map(copy) };
}
