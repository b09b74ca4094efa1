/** Work that must not overlap, in order of asking: two contexts of one model share its threads. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Run `work` when everything asked before has ended, well or not. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
