import type { RunError } from '@gptj-cloud/protocol';
import type { RunLedger } from './run-ledger.ts';
import type { RunEnding } from './run-store.ts';

/** Told of what became of runs here, once it is stored. */
export interface RunObserver {
  accepted(): void;
  /** `error` is null for a run that is complete. */
  ended(error: RunError | null): void;
}

/**
 * The same ledger, observed. A run that was refused, or that somebody else ended, is nothing that happened here.
 *
 * @param onEnd hears of every end that was stored
 */
export function observeLedger(
  ledger: RunLedger,
  observer: RunObserver | undefined,
  onEnd: (ending: RunEnding) => void,
): RunLedger {
  return {
    async accept(run) {
      const admitted = await ledger.accept(run);
      if (admitted !== null) observer?.accepted();
      return admitted;
    },
    async end(ending) {
      const stored = await ledger.end(ending);
      if (!stored) return false;
      onEnd(ending);
      observer?.ended('failure' in ending.end ? ending.end.failure.error : null);
      return true;
    },
  };
}
