/**
 * Brute force is slowed down per account and per network address, in the store: restarts and further servers change
 * nothing. An attempt is counted before it is looked at, in one statement, and taken back when it was good; so of any
 * number of parallel attempts no more than allowed are looked at.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { ApiError } from '@gptj-cloud/protocol';
import { eq, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { loginFailures } from '../identity-tables.ts';

export interface GuardRule {
  /** Failures before the first lock. */
  readonly free: number;
  /** Length of the first lock; every further failure doubles it. */
  readonly firstLockMs: number;
  readonly longestLockMs: number;
  /** Without a failure for so long, all is forgotten. */
  readonly forgetAfterMs: number;
}

const HOUR_MS = 3_600_000;
export const ACCOUNT_RULE: GuardRule = {
  free: 5,
  firstLockMs: 15_000,
  longestLockMs: HOUR_MS,
  forgetAfterMs: 24 * HOUR_MS,
};
/** Many people share an address. */
export const ADDRESS_RULE: GuardRule = { ...ACCOUNT_RULE, free: 30 };
/** Registrations and mails that one address may ask for. */
export const ASKING_RULE: GuardRule = {
  free: 20,
  firstLockMs: 60_000,
  longestLockMs: HOUR_MS,
  forgetAfterMs: HOUR_MS,
};

/** An attempt that was counted. */
export interface Attempt {
  /** It was right: forget the account's failures. */
  succeeded(): Promise<void>;
  /** It was neither right nor wrong: as if it had not been made. */
  takeBack(): Promise<void>;
}

/** Count an attempt to sign in as `account`, from `address`. Throws `too_many_attempts` while either is locked. */
export async function beginAttempt(db: Database, now: Date, account: string, address: string): Promise<Attempt> {
  const byAccount = `account:${digest(account)}`;
  const byAddress = `address:${addressKey(address)}`;
  await countFailure(db, now, byAddress, ADDRESS_RULE);
  try {
    await countFailure(db, now, byAccount, ACCOUNT_RULE);
  } catch (error) {
    await uncount(db, byAddress);
    throw error;
  }
  return {
    async succeeded() {
      await uncount(db, byAddress);
      await db.delete(loginFailures).where(eq(loginFailures.subject, byAccount));
      await forgetOldFailures(db, now);
    },
    async takeBack() {
      await uncount(db, byAddress);
      await uncount(db, byAccount);
    },
  };
}

/** Count something that an address may not ask for too often. Throws `too_many_attempts`. */
export async function countAsking(db: Database, now: Date, what: string, address: string): Promise<void> {
  await countFailure(db, now, `${what}:${addressKey(address)}`, ASKING_RULE);
}

/** What was asked for came to a good end: as if it had not been asked for. */
export async function takeBackAsking(db: Database, what: string, address: string): Promise<void> {
  await uncount(db, `${what}:${addressKey(address)}`);
}

/** Delete what has been forgotten anyway. */
async function forgetOldFailures(db: Database, now: Date): Promise<void> {
  const before = new Date(now.getTime() - ACCOUNT_RULE.forgetAfterMs);
  await db.delete(loginFailures).where(sql`${loginFailures.lastFailureAt} < ${before.toISOString()}::timestamptz`);
}

async function countFailure(db: Database, now: Date, subject: string, rule: GuardRule): Promise<void> {
  const at = now.toISOString();
  const forgotten = new Date(now.getTime() - rule.forgetAfterMs).toISOString();
  const t = loginFailures;
  const failures = sql`CASE WHEN ${t.lastFailureAt} < ${forgotten}::timestamptz THEN 1 ELSE ${t.failures} + 1 END`;
  const doublings = sql`least(greatest(${failures} - ${rule.free}::int, 0), 30)`;
  const lockMs = sql`least(${rule.firstLockMs}::float8 * power(2, ${doublings}), ${rule.longestLockMs}::float8)`;
  const lockedUntil = sql`CASE WHEN ${failures} < ${rule.free}::int THEN NULL
    ELSE ${at}::timestamptz + ${lockMs} * interval '1 millisecond' END`;
  const counted = await db
    .insert(t)
    .values({ subject, failures: 1, lastFailureAt: now, lockedUntil: null })
    .onConflictDoUpdate({
      target: t.subject,
      set: { failures, lastFailureAt: now, lockedUntil },
      setWhere: sql`${t.lockedUntil} IS NULL OR ${t.lockedUntil} <= ${at}::timestamptz`,
    })
    .returning({ failures: t.failures });
  if (counted.length > 0) return;
  const rows = await db.select({ lockedUntil: t.lockedUntil }).from(t).where(eq(t.subject, subject));
  const leftMs = (rows[0]?.lockedUntil?.getTime() ?? now.getTime()) - now.getTime();
  throw new ApiError('too_many_attempts', {}, { retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) });
}

async function uncount(db: Database, subject: string): Promise<void> {
  const t = loginFailures;
  await db
    .update(t)
    .set({ failures: sql`greatest(${t.failures} - 1, 0)`, lockedUntil: null })
    .where(eq(t.subject, subject));
}

/** Of IPv6, the network: one customer has 2^64 addresses of it. */
function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}

/** What people type as their login may be their password: it is not stored as it is. */
function digest(account: string): string {
  return createHash('sha256').update(account.toLowerCase(), 'utf8').digest('hex');
}
