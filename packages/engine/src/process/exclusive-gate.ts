/**
 * Lets generations through together, or one alone. One that is to run alone waits until those that are let through have
 * ended; later ones wait behind it.
 *
 * Invariant: when `#isExclusive`, exactly one is inside.
 */
export class ExclusiveGate {
  #inside = 0;
  #isExclusive = false;
  readonly #queue: { readonly alone: boolean; readonly enter: () => void }[] = [];

  /**
   * Wait for a place. Returns the function that leaves it, to be called once. Rejects with the signal's reason when that
   * fires first.
   */
  async enter(alone: boolean, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        const at = this.#queue.indexOf(waiting);
        if (at < 0) return;
        this.#queue.splice(at, 1);
        reject(signal?.reason);
        this.#admit();
      };
      signal?.addEventListener('abort', leave, { once: true });
      const waiting = {
        alone,
        enter: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#queue.push(waiting);
      this.#admit();
    });
    return () => {
      this.#inside--;
      this.#isExclusive = false;
      this.#admit();
    };
  }

  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#isExclusive || (next.alone && this.#inside > 0)) return;
      this.#queue.shift();
      this.#inside++;
      this.#isExclusive = next.alone;
      next.enter();
    }
  }
}
