/**
 * Calls that come while one is under way wait for it and then go together: one by one when it is quiet, and as one
 * round trip when many come at once. An answer for each, in order; a failure fails the calls it was made for.
 */
export function batched<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  most: number,
): (item: Item) => Promise<Answer> {
  interface Call {
    readonly item: Item;
    readonly resolve: (answer: Answer) => void;
    readonly reject: (reason: unknown) => void;
  }
  const waiting: Call[] = [];
  let busy = false;

  const work = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const calls = waiting.splice(0, most);
      try {
        const answers = await run(calls.map(({ item }) => item));
        if (answers.length !== calls.length) {
          throw new RangeError(`expected ${calls.length} answers, got ${answers.length}`);
        }
        // One a call, as was just seen.
        for (const [i, { resolve }] of calls.entries()) resolve(answers[i]!);
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
    busy = false;
  };

  return (item) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) void work();
    });
}
