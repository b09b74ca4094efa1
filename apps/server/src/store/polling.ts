/** Work that is repeated until it is stopped. */
export interface Polling {
  /** Start no more rounds; resolves when the round under way has ended. Idempotent. */
  stop(): Promise<void>;
}

export interface PollingOptions {
  /** Time between the starts of two rounds, in milliseconds. The first round starts after one interval. */
  readonly everyMs: number;
  /** Called when a round fails; polling continues. */
  readonly onError: (error: unknown) => void;
  /** Rounds are left out while this process may not work. Default: it may. */
  readonly mayWork?: () => Promise<boolean>;
}

/**
 * Repeat work, never two rounds at the same time: a round that is due while another runs is skipped, so that a slow
 * store does not get more and more queries. Does not keep the process alive.
 */
export function startPolling(work: () => Promise<unknown>, { everyMs, onError, mayWork }: PollingOptions): Polling {
  let round: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    try {
      if (mayWork === undefined || (await mayWork())) await work();
    } catch (error) {
      onError(error);
    } finally {
      round = null;
    }
  };
  const timer = setInterval(() => {
    round ??= run();
  }, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await round;
    },
  };
}

/** For `mayWork`. */
export async function always(): Promise<boolean> {
  return true;
}
