import { ApiError } from '@gptj-cloud/protocol';
import type { PasswordHasher } from './password.ts';

export interface PasswordGateLimits {
  /** Hashes computed at the same time. Each occupies a thread of Node's pool, which files and DNS use as well. */
  readonly running: number;
  /** Hashes that wait for their turn. */
  readonly waiting: number;
}

/** Longest that the last one in a full queue waits, by the measured cost of a hash; clients retry after it. */
const RETRY_AFTER_SECONDS = 5;

/**
 * A hasher that computes a few hashes at a time, so that a burst of sign-ins takes neither every core nor the whole
 * thread pool. Beyond the queue it throws `password_checks_busy`; the caller has to refund a counted attempt.
 */
export function gatePasswords(hasher: PasswordHasher, { running, waiting }: PasswordGateLimits): PasswordHasher {
  let active = 0;
  const queue: (() => void)[] = [];
  const pass = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (active >= running) {
      if (queue.length >= waiting) {
        throw new ApiError('password_checks_busy', {}, { retryAfterSeconds: RETRY_AFTER_SECONDS });
      }
      // The one that ends passes its place on, so `active` stays as it is.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else active++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) active--;
      else next();
    }
  };
  return {
    hash: (password) => pass(() => hasher.hash(password)),
    verify: (password, hash) => pass(() => hasher.verify(password, hash)),
  };
}
