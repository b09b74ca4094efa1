import { serverWork } from '../telemetry/work-meter.ts';

export interface BatchedOptions {
  /** Maximum number of calls in one round. Default 64. */
  readonly max?: number;
  /**
   * When a round fails, retry each of its calls in a round of its own, so that one bad call does not fail the others.
   * Requires that a failed round has no effect, or that its calls are idempotent. Default false.
   */
  readonly retryIndividually?: boolean;
}

interface Call<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Combines calls of the same event-loop turn, and calls that arrive while a round is running, into one round. Under low
 * load each call is a round; under high load one round trip serves many calls. `run` returns one answer per item, in
 * order; when it rejects, every call of the round rejects. Rounds of one name wait in one line for the store.
 */
export function batched<Item, Answer>(
  name: string,
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  { max = 64, retryIndividually = false }: BatchedOptions = {},
): (item: Item) => Promise<Answer> {
  const waiting: Call<Item, Answer>[] = [];
  let busy = false;

  const round = async (calls: readonly Call<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await run(calls.map(({ item }) => item));
      if (answers.length !== calls.length) {
        throw new RangeError(`expected ${calls.length} answers, got ${answers.length}`);
      }
      for (const [i, { resolve }] of calls.entries()) resolve(answers[i]!);
    } catch (error) {
      if (retryIndividually && calls.length > 1) for (const call of calls) await round([call]);
      else for (const { reject } of calls) reject(error);
    }
  };
  const work = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      // Without yielding, the first round would begin before the calls of the same turn of the event loop have arrived.
      await new Promise((resolve) => setImmediate(resolve));
      await round(waiting.splice(0, max));
    }
    busy = false;
  };

  return (item) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      // A round serves every caller: it must not wait in the turn of the first.
      if (!busy) void serverWork(name, work);
    });
}
