import type { Logger } from './telemetry/logger.ts';
import { within } from './within.ts';

/** A dependency that must respond before the server can accept requests. */
export interface ReadinessCheck {
  /** For the log: `database`, `engine`. */
  readonly name: string;
  /** Rejects when it cannot serve. */
  readonly check: () => Promise<unknown>;
}

/** Longer than a busy database or engine takes to answer, shorter than the limit of a probe (Kubernetes: 1 s by default). */
const CHECK_TIMEOUT_MS = 900;

/**
 * The names of the checks that do not pass within the time limit; none: ready. A check that is still under way is joined, not started again:
 * probes that come every second do not pile up behind an engine that hangs.
 */
export function createReadiness(
  checks: readonly ReadinessCheck[],
  logger: Logger,
  timeoutMs: number = CHECK_TIMEOUT_MS,
): () => Promise<readonly string[]> {
  const underWay = new Map<string, Promise<unknown>>();
  const join = ({ name, check }: ReadinessCheck): Promise<unknown> => {
    const known = underWay.get(name);
    if (known !== undefined) return known;
    const started = check().finally(() => underWay.delete(name));
    underWay.set(name, started);
    return started;
  };
  const passes = async (each: ReadinessCheck): Promise<boolean> => {
    try {
      if (await within(join(each), timeoutMs)) return true;
      logger.warn('not ready: no answer in time', { check: each.name, timeout_ms: timeoutMs });
    } catch (error) {
      logger.warn('not ready: check failed', { check: each.name, error });
    }
    return false;
  };
  return async () => {
    const passed = await Promise.all(checks.map(passes));
    return checks.filter((_, i) => !passed[i]).map(({ name }) => name);
  };
}
