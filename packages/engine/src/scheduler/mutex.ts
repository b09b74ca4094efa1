/** Mutual exclusion for asynchronous work, first come, first served: two contexts of one model share its threads. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Run `work` once everything submitted earlier has settled. Resolves or rejects as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
