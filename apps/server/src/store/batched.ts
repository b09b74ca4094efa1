export interface BatchedOptions {
  /** Calls that go together at most. Default 64. */
  readonly max?: number;
  /**
   * When a round fails, try each of its calls alone, so that one bad call fails no other. For calls that a failed round
   * leaves undone, or that may be repeated. Default false.
   */
  readonly alone?: boolean;
}

interface Call<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Calls of the same turn of the event loop, and those that come while a round is under way, go together: one by one when
 * it is quiet, and as one round trip when many come at once. An answer for each, in order; a failure fails the calls it
 * was made for.
 */
export function batched<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  { max = 64, alone = false }: BatchedOptions = {},
): (item: Item) => Promise<Answer> {
  const waiting: Call<Item, Answer>[] = [];
  let busy = false;

  const round = async (calls: readonly Call<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await run(calls.map(({ item }) => item));
      if (answers.length !== calls.length) {
        throw new RangeError(`expected ${calls.length} answers, got ${answers.length}`);
      }
      // One a call, as was just seen.
      for (const [i, { resolve }] of calls.entries()) resolve(answers[i]!);
    } catch (error) {
      if (alone && calls.length > 1) for (const call of calls) await round([call]);
      else for (const { reject } of calls) reject(error);
    }
  };
  const work = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      // The embedded store computes on this thread: without a pause, a round would be over before the next call could come.
      await new Promise((resolve) => setImmediate(resolve));
      await round(waiting.splice(0, max));
    }
    busy = false;
  };

  return (item) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) void work();
    });
}
