/**
 * Brute-force protection for each account and each network address. Counts are stored in the database, so they survive restarts
 * and apply to all servers. An attempt is counted before its password or code is checked, and refunded when it succeeds,
 * so parallel attempts cannot pass the limit together.
 */
import { isIPv6 } from 'node:net';
import { ApiError } from '@gptj-cloud/protocol';
import type { Database } from '../../store/db.ts';
import { hashSecret } from '../secret.ts';
import {
  clearAttempts,
  deleteAttemptsBefore,
  type LockoutRule,
  recordAttempt,
  refundAttempt,
} from './login-attempt-store.ts';
import type { PasswordHasher } from './password.ts';

const HOUR_MS = 3_600_000;
const ACCOUNT_RULE: LockoutRule = {
  free: 5,
  firstLockMs: 15_000,
  maxLockMs: HOUR_MS,
  resetAfterMs: 24 * HOUR_MS,
};
/** Many users share an address. */
const ADDRESS_RULE: LockoutRule = { ...ACCOUNT_RULE, free: 30 };
/** Requests of one kind from one address, for example registrations and mails. */
const REQUEST_RULE: LockoutRule = {
  free: 20,
  firstLockMs: 60_000,
  maxLockMs: HOUR_MS,
  resetAfterMs: HOUR_MS,
};

/** A sign-in attempt that has been counted. Without a call of either method it counts as a failure. */
export interface Attempt {
  /** The attempt succeeded: clear the account's failures. */
  succeeded(): Promise<void>;
  /** Refund the attempt: it neither succeeded nor failed. */
  refund(): Promise<void>;
}

/** Count an attempt to sign in as `account` from `address`. Throws `too_many_attempts` while either is locked out. */
export async function beginAttempt(db: Database, now: Date, account: string, address: string): Promise<Attempt> {
  // Users may type their password as their login, so the store keeps a hash.
  const byAccount = `account:${hashSecret(account.toLowerCase())}`;
  const byAddress = `address:${addressKey(address)}`;
  // An unknown address is that of a proxy: a limit on it would refuse all clients behind it.
  const refundAddress = async () => (address === '' ? undefined : await refundAttempt(db, byAddress));
  if (address !== '') await enforce(db, now, byAddress, ADDRESS_RULE);
  try {
    await enforce(db, now, byAccount, ACCOUNT_RULE);
  } catch (error) {
    await refundAddress();
    throw error;
  }
  return {
    async succeeded() {
      await refundAddress();
      await clearAttempts(db, byAccount);
      await deleteAttemptsBefore(db, new Date(now.getTime() - ACCOUNT_RULE.resetAfterMs));
    },
    async refund() {
      await refundAddress();
      await refundAttempt(db, byAccount);
    },
  };
}

/** Check the password of a counted attempt. One that the server is too busy to check is refunded. */
export async function verifyCounted(
  { passwords }: { readonly passwords: PasswordHasher },
  attempt: Attempt,
  password: string,
  hash: string | null,
): Promise<boolean> {
  try {
    return await passwords.verify(password, hash);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'password_checks_busy') await attempt.refund();
    throw error;
  }
}

/** A kind of request that is limited for each address or user. */
export type LimitedRequest =
  | 'register'
  | 'reset'
  | 'email'
  | 'invite'
  | 'oauth'
  | 'oauth_browser'
  | 'oauth_address'
  | 'verify';

/** All browsers that share an address together. */
const SHARED_RULE: LockoutRule = { ...REQUEST_RULE, free: 200 };

/** Count a request of this kind from `address`. Throws `too_many_attempts` beyond {@link REQUEST_RULE}. */
export async function enforceRateLimit(db: Database, now: Date, kind: LimitedRequest, address: string): Promise<void> {
  const rule = kind === 'oauth_address' ? SHARED_RULE : REQUEST_RULE;
  if (address !== '') await enforce(db, now, `${kind}:${addressKey(address)}`, rule);
}

/** Refund a request that succeeded. */
export async function refundRateLimit(db: Database, kind: LimitedRequest, address: string): Promise<void> {
  await refundAttempt(db, `${kind}:${addressKey(address)}`);
}

async function enforce(db: Database, now: Date, subject: string, rule: LockoutRule): Promise<void> {
  const leftMs = await recordAttempt(db, now, subject, rule);
  if (leftMs === null) return;
  throw new ApiError('too_many_attempts', {}, { retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) });
}

/** The /64 network of an IPv6 address, since one customer has all 2^64 addresses of it; other addresses unchanged. */
function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}
