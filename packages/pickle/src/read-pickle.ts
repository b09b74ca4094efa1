import type { PickleLimits } from './pickle-limits.ts';
import type { PicklePolicy } from './pickle-policy.ts';
import type { PickleValue } from './pickle-value.ts';
import { runPickle } from './run-pickle.ts';

const PLAIN_DATA: PicklePolicy = { keys: 'string' };

/**
 * Read a pickle of plain data: str, int, float, bool, None, list, tuple, and dict with string keys. Safe for
 * untrusted request bodies.
 *
 * Limits default to `DEFAULT_PICKLE_LIMITS`. Throws `PickleError` for everything else, such as classes and functions.
 */
export function readPickle(bytes: Uint8Array, limits?: Partial<PickleLimits>): PickleValue {
  return runPickle(bytes, PLAIN_DATA, limits);
}
