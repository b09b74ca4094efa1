/** An event of one of several sources. */
export interface MergedEvent<Event> {
  /** Index of the source. */
  readonly source: number;
  readonly event: Event;
}

/**
 * Merge the events of several sources in order of arrival. Sources are opened in order, at most `maxConcurrent` at a time.
 * The first failure ends all of them. However the iteration ends, every source that was opened has then been read to its
 * end, so that its last events are metered; `cancel` is called first, and must end the sources.
 */
export async function* mergeEvents<Event>(
  count: number,
  maxConcurrent: number,
  open: (source: number) => AsyncIterable<Event>,
  cancel: () => void,
): AsyncGenerator<MergedEvent<Event>> {
  const iterators = new Map<number, AsyncIterator<Event>>();
  const steps = new Map<number, Promise<{ readonly source: number; readonly result: IteratorResult<Event> }>>();
  let opened = 0;
  const step = (source: number, iterator: AsyncIterator<Event>): void => {
    const next = iterator.next().then((result) => ({ source, result }));
    // Thrown by the race below unless the iteration has ended by then.
    next.catch(() => {});
    steps.set(source, next);
  };
  try {
    for (;;) {
      for (; steps.size < maxConcurrent && opened < count; opened++) {
        const iterator = open(opened)[Symbol.asyncIterator]();
        iterators.set(opened, iterator);
        step(opened, iterator);
      }
      if (steps.size === 0) return;
      const { source, result } = await Promise.race(steps.values());
      if (result.done === true) {
        steps.delete(source);
        iterators.delete(source);
        continue;
      }
      step(source, iterators.get(source)!);
      yield { source, event: result.value };
    }
  } finally {
    cancel();
    await Promise.allSettled([...iterators.values()].map(readToEnd));
  }
}

async function readToEnd(iterator: AsyncIterator<unknown>): Promise<void> {
  while ((await iterator.next()).done !== true);
}
