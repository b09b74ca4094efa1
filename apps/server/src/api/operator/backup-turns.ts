import { ApiError } from '@gptj-cloud/protocol';

/** A turn to make a backup. */
export interface BackupTurn {
  /** The dump is made, in this time: the pause begins. */
  dumped(tookMs: number): void;
  /** The reply was sent, or its client has gone. Idempotent. */
  end(): void;
}

/**
 * One backup at a time: each reads the whole store from the disk, and the store keeps its log meanwhile. After a dump the
 * store is left to others for as long as the dump took.
 */
export interface BackupTurns {
  /** Throws `backup_running`. */
  take(): BackupTurn;
}

/** How long a dump takes is known when it has ended. */
const RETRY_SECONDS = 30;

/** `now`: milliseconds, monotonic. */
export function createBackupTurns(now: () => number): BackupTurns {
  let isTaken = false;
  let nextAt = Number.NEGATIVE_INFINITY;
  return {
    take() {
      const startedAt = now();
      if (isTaken || startedAt < nextAt) {
        const seconds = isTaken ? RETRY_SECONDS : Math.ceil((nextAt - startedAt) / 1000);
        throw new ApiError('backup_running', {}, { retryAfterSeconds: Math.max(1, seconds) });
      }
      isTaken = true;
      let hasEnded = false;
      return {
        dumped(tookMs) {
          nextAt = now() + tookMs;
        },
        end() {
          if (!hasEnded) isTaken = false;
          hasEnded = true;
        },
      };
    },
  };
}
