/**
 * Brute-force protection. Counts are stored in the database, so they survive restarts and apply to all servers. An attempt
 * is counted before its password or code is checked, and refunded when it succeeds, so parallel attempts cannot pass the
 * limit together.
 *
 * A sign-in counts by where it comes from, so that failures of strangers do not lock the owner of an account out:
 *
 * - a device that has signed in to the account before has a count of its own, and no other count applies to it;
 * - everything else counts for its address, and for its address and the login together;
 * - unless that address has signed in to the account before, it also counts for the login from all such origins, which
 *   bounds guesses that are spread over many addresses.
 *
 * Logins count as they are typed, in canonical form, whether or not an account has them. Checks inside a session and of
 * second factors have counts of their own.
 */
import { ApiError } from '@gptj-cloud/protocol';
import { addressKey } from '../../network-address.ts';
import type { Database } from '../../store/db.ts';
import { hashSecret } from '../secret.ts';

import type { KnownOrigin } from './known-device-store.ts';
import {
  clearAttempts,
  clearAttemptsBelow,
  deleteAttemptsBefore,
  type LockoutRule,
  recordAttempt,
  refundAttempt,
} from './login-attempt-store.ts';
import { canonicalLogin } from './login-name.ts';
import type { PasswordHasher } from './password.ts';

const HOUR_MS = 3_600_000;
/** Guesses of one origin at one secret. */
const GUESS_RULE: LockoutRule = {
  free: 5,
  firstLockMs: 15_000,
  maxLockMs: HOUR_MS,
  resetAfterMs: 24 * HOUR_MS,
};
/** Many users share an address. */
const ADDRESS_RULE: LockoutRule = { ...GUESS_RULE, free: 30 };
/** Guesses of all unknown origins at one login: about 100 a day, however many addresses they come from. */
const STRANGERS_RULE: LockoutRule = { ...GUESS_RULE, free: 60, firstLockMs: 30_000, maxLockMs: HOUR_MS / 4 };
/** Requests of one kind from one address, for example registrations and mails. */
const REQUEST_RULE: LockoutRule = {
  free: 20,
  firstLockMs: 60_000,
  maxLockMs: HOUR_MS,
  resetAfterMs: HOUR_MS,
};

/** An attempt that has been counted. Without a call of either method it counts as a failure. */
export interface Attempt {
  /** The attempt succeeded: clear the failures of this origin. */
  succeeded(): Promise<void>;
  /** Refund the attempt: it neither succeeded nor failed. */
  refund(): Promise<void>;
}

interface Count {
  readonly subject: string;
  readonly rule: LockoutRule;
  /** Whether a success clears the count; otherwise it refunds the attempt. */
  readonly isCleared: boolean;
}

/** Count an attempt to sign in. Throws `too_many_attempts` while its origin is locked out. */
export async function beginSignIn(
  db: Database,
  now: Date,
  { login, address, known }: { readonly login: string; readonly address: string; readonly known: KnownOrigin },
): Promise<Attempt> {
  if (known !== null && known !== 'network') {
    return await begin(db, now, [{ subject: `device:${known.device}`, rule: GUESS_RULE, isCleared: true }]);
  }
  const place = addressKey(address);
  const counts: Count[] = [
    { subject: `${loginSubject(login)}:${hashSecret(place)}`, rule: GUESS_RULE, isCleared: true },
  ];
  // An unknown address is that of a proxy: a limit on it would refuse all clients behind it.
  if (place !== '') counts.unshift({ subject: `address:${place}`, rule: ADDRESS_RULE, isCleared: false });
  if (known === null) counts.push({ subject: loginSubject(login), rule: STRANGERS_RULE, isCleared: false });
  return await begin(db, now, counts);
}

/** A secret that a caller guesses who has passed another check: the password in a session, or a second factor. */
export type CheckedSecret = 'password' | 'second_factor' | 'link_password';

/** Count an attempt to confirm a secret. `owner` has a count of its own: a session, a token, a device or a link. */
export async function beginCheck(db: Database, now: Date, secret: CheckedSecret, owner: string): Promise<Attempt> {
  return await begin(db, now, [{ subject: `${secret}:${owner}`, rule: GUESS_RULE, isCleared: true }]);
}

/** Clear what is counted for a user's logins and second factor, after the user has proved the account by mail. */
export async function clearFailures(
  db: Database,
  { id, email, username }: { readonly id: string; readonly email: string; readonly username: string },
): Promise<void> {
  for (const login of [email, username]) await clearAttemptsBelow(db, loginSubject(login));
  await clearAttempts(db, `second_factor:${id}`);
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
  | 'verify'
  | 'username'
  | 'mail';

/** All browsers that share an address together. */
const SHARED_RULE: LockoutRule = { ...REQUEST_RULE, free: 200 };

/** Count a request of this kind from `address`. Throws `too_many_attempts` beyond {@link REQUEST_RULE}. */
export async function enforceRateLimit(db: Database, now: Date, kind: LimitedRequest, address: string): Promise<void> {
  const rule = kind === 'oauth_address' ? SHARED_RULE : REQUEST_RULE;
  if (address !== '') await enforce(db, now, `${kind}:${addressKey(address)}`, rule);
}

/** As {@link enforceRateLimit}, for work without a caller to refuse: whether the request is within the rule. */
export async function isWithinRateLimit(db: Database, now: Date, kind: LimitedRequest, of: string): Promise<boolean> {
  return (await recordAttempt(db, now, `${kind}:${of}`, REQUEST_RULE)) === null;
}

/** Refund a request that succeeded. */
export async function refundRateLimit(db: Database, kind: LimitedRequest, address: string): Promise<void> {
  await refundAttempt(db, `${kind}:${addressKey(address)}`);
}

async function begin(db: Database, now: Date, counts: readonly Count[]): Promise<Attempt> {
  const counted: Count[] = [];
  try {
    for (const count of counts) {
      await enforce(db, now, count.subject, count.rule);
      counted.push(count);
    }
  } catch (error) {
    for (const { subject } of counted) await refundAttempt(db, subject);
    throw error;
  }
  return {
    async succeeded() {
      for (const { subject, isCleared } of counted) {
        await (isCleared ? clearAttempts(db, subject) : refundAttempt(db, subject));
      }
      await deleteAttemptsBefore(db, new Date(now.getTime() - GUESS_RULE.resetAfterMs));
    },
    async refund() {
      for (const { subject } of counted) await refundAttempt(db, subject);
    },
  };
}

async function enforce(db: Database, now: Date, subject: string, rule: LockoutRule): Promise<void> {
  const leftMs = await recordAttempt(db, now, subject, rule);
  if (leftMs === null) return;
  throw new ApiError('too_many_attempts', {}, { retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) });
}

/** Users may type their password as their login, so the store keeps a hash. */
function loginSubject(login: string): string {
  return `login:${hashSecret(canonicalLogin(login))}`;
}
