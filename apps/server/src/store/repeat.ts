export interface Repetition {
  /** No more of it; what has begun goes on. Idempotent. */
  stop(): void;
}

/**
 * Do something again and again, never twice at once: what is due while the last time goes on is left out, so that a
 * slow store is not asked ever more. Keeps no process alive.
 *
 * @param work handles its own errors
 */
export function repeat(work: () => Promise<void>, everyMs: number): Repetition {
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    void work().finally(() => {
      isBusy = false;
    });
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
