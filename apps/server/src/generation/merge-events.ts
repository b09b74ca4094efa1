/** An event of one of several sources. */
export interface MergedEvent<Event> {
  /** Index of the source. */
  readonly source: number;
  readonly event: Event;
}

/**
 * Events of several sources as they come. Sources are opened in their order, `atOnce` of them running at a time. The
 * first failure ends everything; when this ends, however it does, so has every source that was opened: `cancel` is
 * called first, for those that wait for something.
 */
export async function* mergeEvents<Event>(
  count: number,
  atOnce: number,
  open: (source: number) => AsyncIterable<Event>,
  cancel: () => void,
): AsyncGenerator<MergedEvent<Event>> {
  const iterators = new Map<number, AsyncIterator<Event>>();
  const steps = new Map<number, Promise<{ readonly source: number; readonly result: IteratorResult<Event> }>>();
  let opened = 0;
  const step = (source: number, iterator: AsyncIterator<Event>): void => {
    const next = iterator.next().then((result) => ({ source, result }));
    // Heard of below if it still matters then.
    next.catch(() => {});
    steps.set(source, next);
  };
  try {
    for (;;) {
      for (; steps.size < atOnce && opened < count; opened++) {
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
    await Promise.allSettled([...iterators.values()].map((iterator) => iterator.return?.()));
  }
}
