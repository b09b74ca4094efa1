import type { RunError } from '@gptj-cloud/protocol';
import type { RunEnding } from './run-end.ts';
import type { RunLedger } from './run-ledger.ts';

/** Counts runs that this process has accepted or ended, after that is stored. */
export interface RunObserver {
  accepted(): void;
  /** `error` is null for a complete run. */
  ended(error: RunError | null): void;
}

/**
 * The same ledger, observed. A run that was refused, or ended by another process, is not counted.
 *
 * @param onChange gets every run that was stored or whose end was
 * @param onEnd gets every end that was stored
 */
export function observeLedger(
  ledger: RunLedger,
  observer: RunObserver,
  onChange: (run: { readonly projectId: string; readonly id: string }) => void,
  onEnd: (ending: RunEnding) => void,
): RunLedger {
  return {
    async accept(run) {
      const admitted = await ledger.accept(run);
      if (admitted !== null) {
        observer.accepted();
        onChange(run.row);
      }
      return admitted;
    },
    refusalOf: (run) => ledger.refusalOf(run),
    async recordEnd(ending) {
      const isStored = await ledger.recordEnd(ending);
      if (!isStored) return false;
      onEnd(ending);
      onChange({ projectId: ending.ender.projectId, id: ending.ender.runId });
      observer.ended('failure' in ending.end ? ending.end.failure.error : null);
      return true;
    },
  };
}
