import type { Logger } from '../telemetry/logger.ts';

/** Reports outages of the store. */
export interface OutageLog {
  onOutage(error: unknown): void;
  onAnswer(): void;
}

/** While an outage lasts, a line for its first failure and then at most one in this time. */
const REPEAT_AFTER_MS = 10_000;

/** Logs when the store becomes unavailable, that it still is, and when it answers again: not once for every query. */
export function createOutageLog(logger: Pick<Logger, 'warn' | 'info'>, now: () => number): OutageLog {
  let since: number | null = null;
  let lastLine = 0;
  let failures = 0;
  return {
    onOutage(error) {
      const at = now();
      since ??= at;
      failures++;
      if (failures > 1 && at - lastLine < REPEAT_AFTER_MS) return;
      lastLine = at;
      logger.warn('store unavailable', { error, failures, for_ms: Math.round(at - since) });
    },
    onAnswer() {
      if (since === null) return;
      logger.info('store available again', { failures, after_ms: Math.round(now() - since) });
      since = null;
      failures = 0;
    },
  };
}
