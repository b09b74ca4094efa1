import { createHash, randomBytes } from 'node:crypto';
import { ApiError, type Proof } from '@gptj-cloud/protocol';
import { and, eq, isNull, lt, or } from 'drizzle-orm';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { AccountDeps } from '../account-deps.ts';
import { recoveryCodes, users } from '../identity-tables.ts';
import type { User } from '../users/user.ts';
import { updateUser } from '../users/user-store.ts';
import { type Attempt, beginAttempt } from './login-guard.ts';
import { base32, matchTotp, totpUri } from './totp.ts';

const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
const RECOVERY_BYTES = 10;

/**
 * Check the password of somebody who is signed in, before something that a stolen session must not do.
 * Throws `password_wrong`, `password_not_set`, `too_many_attempts`.
 */
export async function confirmPassword(deps: AccountDeps, user: User, password: string, caller: Caller): Promise<void> {
  await confirm(deps, user, password, caller, async () => undefined);
}

/** The same, and a code where two-factor is on. Throws `code_required`, `code_wrong`, too. */
export async function confirmInPerson(deps: AccountDeps, user: User, proof: Proof, caller: Caller): Promise<void> {
  await confirm(deps, user, proof.password, caller, async (attempt) => {
    if (!user.totpEnabled) return;
    const code = proof.code ?? '';
    if (code === '') {
      await attempt.takeBack();
      throw new ApiError('code_required');
    }
    if (!(await checkSecondFactor(deps, user, code, caller))) throw new ApiError('code_wrong');
  });
}

async function confirm(
  deps: AccountDeps,
  user: User,
  password: string,
  caller: Caller,
  checkMore: (attempt: Attempt) => Promise<void>,
): Promise<void> {
  if (user.passwordHash === null) throw new ApiError('password_not_set');
  const attempt = await beginAttempt(deps.db, deps.clock(), user.id, caller.address);
  if (!(await deps.passwords.verify(password, user.passwordHash))) throw new ApiError('password_wrong');
  await checkMore(attempt);
  await attempt.takeBack();
}

/** Make a new secret. It counts once `confirmTwoFactor` has seen a code of it. */
export async function beginTwoFactor(
  { db, clock }: AccountDeps,
  user: User,
): Promise<{ readonly secret: string; readonly uri: string }> {
  if (user.totpEnabled) {
    throw new ApiError('conflict', { reason: 'two-factor is on already', remedy: 'turn it off first' });
  }
  const secret = randomBytes(SECRET_BYTES);
  await updateUser(db, user.id, { totpSecret: secret.toString('hex'), totpLastStep: null }, clock());
  const text = base32(secret);
  return { secret: text, uri: totpUri(text, user.email) };
}

/** Turn two-factor on. Returns recovery codes, each good once, shown this once. Throws `code_wrong`, `conflict`. */
export async function confirmTwoFactor(
  deps: AccountDeps,
  user: User,
  code: string,
  caller: Caller,
): Promise<readonly string[]> {
  const { db, clock } = deps;
  if (user.totpEnabled || user.totpSecret === null) {
    throw new ApiError('conflict', {
      reason: 'two-factor was not begun',
      remedy: 'begin it with POST /v2/auth/two-factor',
    });
  }
  const attempt = await beginAttempt(db, clock(), user.id, caller.address);
  const step = matchTotp(Buffer.from(user.totpSecret, 'hex'), code.trim(), clock(), user.totpLastStep);
  if (step === null) throw new ApiError('code_wrong');
  await attempt.takeBack();
  const codes = Array.from({ length: RECOVERY_CODES }, () => base32(randomBytes(RECOVERY_BYTES)).toLowerCase());
  await db.transaction(async (tx) => {
    await updateUser(tx, user.id, { totpEnabled: true, totpLastStep: step }, clock());
    await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, user.id));
    await tx.insert(recoveryCodes).values(codes.map((each) => ({ userId: user.id, hash: hashOf(each) })));
    await recordAudit(tx, clock(), caller, { action: 'user.two_factor_on', subject: user.id });
  });
  return codes;
}

export async function endTwoFactor({ db, clock }: AccountDeps, user: User, caller: Caller): Promise<void> {
  await db.transaction(async (tx) => {
    await updateUser(tx, user.id, { totpEnabled: false, totpSecret: null, totpLastStep: null }, clock());
    await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, user.id));
    await recordAudit(tx, clock(), caller, { action: 'user.two_factor_off', subject: user.id });
  });
}

/** Whether `code` is a code of the app or a recovery code that has not been used. Uses it up. */
export async function checkSecondFactor(deps: AccountDeps, user: User, code: string, caller: Caller): Promise<boolean> {
  const { db, clock } = deps;
  const typed = code.replaceAll(/[\s-]/g, '').toLowerCase();
  const step = matchTotp(Buffer.from(user.totpSecret ?? '', 'hex'), typed, clock(), user.totpLastStep);
  if (step !== null) return await takeStep(db, user.id, step);
  return await db.transaction(async (tx) => {
    const used = await tx
      .delete(recoveryCodes)
      .where(and(eq(recoveryCodes.userId, user.id), eq(recoveryCodes.hash, hashOf(typed))))
      .returning({ hash: recoveryCodes.hash });
    if (used.length === 0) return false;
    const who = { ...caller, userId: user.id };
    await recordAudit(tx, clock(), who, { action: 'user.recovery_code_used', subject: user.id });
    return true;
  });
}

/** Of two that come with the same code at once, one gets it. */
async function takeStep(db: Database, userId: string, step: number): Promise<boolean> {
  const taken = await db
    .update(users)
    .set({ totpLastStep: step })
    .where(and(eq(users.id, userId), or(isNull(users.totpLastStep), lt(users.totpLastStep, step))))
    .returning({ id: users.id });
  return taken.length > 0;
}

/** Codes are random, so no salt or stretching helps. */
function hashOf(code: string): string {
  return createHash('sha256').update(code, 'utf8').digest('hex');
}
