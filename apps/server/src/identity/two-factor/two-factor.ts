import { randomBytes } from 'node:crypto';
import { ApiError, type Proof } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { MailDeps, PasswordDeps, StoreDeps } from '../account-deps.ts';
import { notify } from '../notices.ts';
import { type Attempt, beginCheck, verifyCounted } from '../sessions/login-guard.ts';
import { deleteSessions } from '../sessions/session-store.ts';
import type { User } from '../users/user.ts';
import { lockUser, updateUser } from '../users/user-store.ts';
import { base32, matchTotp, totpUri } from './totp.ts';
import {
  countRecoveryCodes,
  deleteRecoveryCodes,
  replaceRecoveryCodes,
  useRecoveryCode,
  useTotpStep,
} from './two-factor-store.ts';

const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
const RECOVERY_BYTES = 10;

/**
 * Check the password of a signed-in user before an action that must not be possible with a stolen session alone.
 * Throws `password_wrong`, `password_not_set`, `too_many_attempts`.
 */
export async function confirmPassword(
  deps: MailDeps & PasswordDeps,
  user: User,
  password: string,
  caller: Caller,
): Promise<void> {
  await confirm(deps, user, password, caller, async () => undefined);
}

/** As {@link confirmPassword}, and a code where two-factor is on. Also throws `code_required`, `code_wrong`. */
export async function confirmInPerson(
  deps: MailDeps & PasswordDeps,
  user: User,
  proof: Proof,
  caller: Caller,
): Promise<void> {
  await confirm(deps, user, proof.password, caller, async (attempt) => {
    if (!user.totpEnabled) return;
    const code = proof.code ?? '';
    if (code === '') {
      await attempt.refund();
      throw new ApiError('code_required');
    }
    if (!(await checkSecondFactor(deps, user, code, caller))) throw new ApiError('code_wrong');
  });
}

async function confirm(
  deps: MailDeps & PasswordDeps,
  user: User,
  password: string,
  caller: Caller,
  checkMore: (attempt: Attempt) => Promise<void>,
): Promise<void> {
  if (user.passwordHash === null) throw new ApiError('password_not_set');
  const attempt = await beginCheck(deps.db, deps.clock(), 'password', credentialOf(user, caller));
  if (!(await verifyCounted(deps, attempt, password, user.passwordHash))) throw new ApiError('password_wrong');
  await checkMore(attempt);
  await attempt.succeeded();
}

/**
 * Whose count a check inside a session belongs to: the session's or token's own, so that failures elsewhere cannot keep
 * the user from it, and a stolen one cannot guess for longer than its own count allows.
 */
function credentialOf(user: User, { sessionId, apiKeyId }: Caller): string {
  return sessionId ?? apiKeyId ?? user.id;
}

/** Create a new secret. It takes effect when `confirmTwoFactor` has checked one of its codes. Throws `conflict`. */
export async function beginTwoFactor(
  { db, clock }: StoreDeps,
  user: User,
): Promise<{ readonly secret: string; readonly uri: string }> {
  const secret = randomBytes(SECRET_BYTES);
  await db.transaction(async (tx) => {
    // A confirmed secret must not be replaced, even when another request has just confirmed it.
    const { totpEnabled } = await lockUser(tx, user.id);
    if (totpEnabled) {
      throw new ApiError('conflict', { reason: 'two-factor is already on', remedy: 'turn it off first' });
    }
    await updateUser(tx, user.id, { totpSecret: secret.toString('hex'), totpLastStep: null }, clock());
  });
  const encoded = base32(secret);
  return { secret: encoded, uri: totpUri(encoded, user.email) };
}

/**
 * Turn two-factor on, and end every session but the one with `sessionId`. Returns single-use recovery codes, shown only
 * here. Throws `code_wrong`, `conflict`.
 */
export async function confirmTwoFactor(
  deps: MailDeps,
  user: User,
  { code, sessionId }: { readonly code: string; readonly sessionId: string },
  caller: Caller,
): Promise<readonly string[]> {
  const { db, clock } = deps;
  pendingSecret(user);
  const attempt = await beginCheck(db, clock(), 'second_factor', credentialOf(user, caller));
  const codes = newRecoveryCodes();
  await db.transaction(async (tx) => {
    const locked = await lockUser(tx, user.id);
    const step = matchTotp(pendingSecret(locked), code.trim(), clock(), locked.totpLastStep);
    if (step === null) throw new ApiError('code_wrong');
    await updateUser(tx, user.id, { totpEnabled: true, totpLastStep: step }, clock());
    await replaceRecoveryCodes(tx, user.id, codes);
    await deleteSessions(tx, user.id, sessionId);
    await recordAudit(tx, clock(), caller, { action: 'user.two_factor_on', subject: user.id });
  });
  await attempt.succeeded();
  notify(deps, user, 'two_factor_on');
  return codes;
}

function newRecoveryCodes(): readonly string[] {
  return Array.from({ length: RECOVERY_CODES }, () => base32(randomBytes(RECOVERY_BYTES)).toLowerCase());
}

/** The number of a user's unused recovery codes, and of those that were made. */
export async function countUnusedCodes(
  { db }: StoreDeps,
  user: User,
): Promise<{ readonly two_factor: boolean; readonly left: number; readonly of: number }> {
  return { two_factor: user.totpEnabled, left: await countRecoveryCodes(db, user.id), of: RECOVERY_CODES };
}

/** Replace the recovery codes of a user; the earlier ones end. The caller has confirmed the user in person. Throws `conflict`. */
export async function renewRecoveryCodes(deps: MailDeps, user: User, caller: Caller): Promise<readonly string[]> {
  const { db, clock } = deps;
  const codes = newRecoveryCodes();
  await db.transaction(async (tx) => {
    // Two-factor may have been turned off since the user was confirmed.
    if (!(await lockUser(tx, user.id)).totpEnabled) {
      throw new ApiError('conflict', {
        reason: 'two-factor is off, so there are no recovery codes',
        remedy: 'turn it on with POST /v2/auth/two-factor',
      });
    }
    await replaceRecoveryCodes(tx, user.id, codes);
    await recordAudit(tx, clock(), caller, { action: 'user.recovery_codes_renew', subject: user.id });
  });
  notify(deps, user, 'recovery_codes_renewed');
  return codes;
}

/** The secret that is not confirmed yet. Throws `conflict`. */
function pendingSecret({ totpEnabled, totpSecret }: User): Uint8Array {
  if (totpEnabled || totpSecret === null) {
    throw new ApiError('conflict', {
      reason: 'two-factor was not begun',
      remedy: 'begin it with POST /v2/auth/two-factor',
    });
  }
  return Buffer.from(totpSecret, 'hex');
}

/** Turn two-factor off, and end every session but the one with the id `keptSession`. */
export async function endTwoFactor(deps: MailDeps, user: User, keptSession: string, caller: Caller): Promise<void> {
  const { db, clock } = deps;
  await db.transaction(async (tx) => {
    await updateUser(tx, user.id, { totpEnabled: false, totpSecret: null, totpLastStep: null }, clock());
    await deleteRecoveryCodes(tx, user.id);
    await deleteSessions(tx, user.id, keptSession);
    await recordAudit(tx, clock(), caller, { action: 'user.two_factor_off', subject: user.id });
  });
  notify(deps, user, 'two_factor_off');
}

/** Check a code of the authenticator app or an unused recovery code, and mark it as used. */
export async function checkSecondFactor(deps: MailDeps, user: User, code: string, caller: Caller): Promise<boolean> {
  const { db, clock } = deps;
  const typed = code.replaceAll(/[\s-]/g, '').toLowerCase();
  const step = matchTotp(Buffer.from(user.totpSecret ?? '', 'hex'), typed, clock(), user.totpLastStep);
  if (step !== null) return await useTotpStep(db, user.id, step);
  const isUsed = await db.transaction(async (tx) => {
    if (!(await useRecoveryCode(tx, user.id, typed))) return false;
    const signer = { ...caller, userId: user.id };
    await recordAudit(tx, clock(), signer, { action: 'user.recovery_code_used', subject: user.id });
    return true;
  });
  if (isUsed) notify(deps, user, 'recovery_code_used');
  return isUsed;
}
