/**
 * Passes events from a producer that pushes to one consumer that iterates. Single use: one consumer, iterated once.
 * The producer never waits; the number of queued events is bounded by the generation's token limit.
 *
 * States: **open** → **ended** or **failed**. The consumer receives every event pushed while open, then the end or the failure.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #events: T[] = [];
  #state: 'open' | 'ended' | { readonly failure: Error } = 'open';
  #wake: (() => void) | null = null;

  push(event: T): void {
    if (this.#state !== 'open') return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** No more events. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake?.();
  }

  /** No more events; the consumer gets `failure` after those already pushed. */
  fail(failure: Error): void {
    if (this.#state === 'open') this.#state = { failure };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
      } else if (this.#state === 'open') {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      } else if (this.#state === 'ended') {
        return;
      } else {
        throw this.#state.failure;
      }
    }
  }
}
