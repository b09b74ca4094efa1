import { ApiError, type Login } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { PasswordDeps, StoreDeps } from '../account-deps.ts';
import { checkSecondFactor } from '../two-factor/two-factor.ts';
import type { User } from '../users/user.ts';
import { findUserByLogin } from '../users/user-store.ts';
import { beginAttempt, verifyCounted } from './login-guard.ts';
import type { Session } from './session.ts';
import { deleteSession, insertSession } from './session-store.ts';

/** A session that has just begun. */
export interface SignedIn {
  readonly user: User;
  readonly session: Session;
  /** Value of the session's cookie. */
  readonly secret: string;
}

/**
 * Sign in with e-mail address or username, password and, where it is on, a second factor.
 * Throws the same `sign_in_failed` for an unknown login and a wrong password, `code_required`, `code_wrong`,
 * `too_many_attempts`, `account_disabled`.
 */
export async function signIn(deps: PasswordDeps, login: Login, caller: Caller, userAgent: string): Promise<SignedIn> {
  const { db, clock } = deps;
  const user = await findUserByLogin(db, login.login);
  const attempt = await beginAttempt(db, clock(), user?.id ?? login.login, caller.address);
  const fail = async (reason: string): Promise<void> => {
    await recordAudit(db, clock(), caller, {
      action: 'user.sign_in_failed',
      subject: user?.id ?? null,
      details: { reason },
    });
  };
  const isRight = await verifyCounted(deps, attempt, login.password, user?.passwordHash ?? null);
  if (!isRight || user === null) {
    await fail(user === null ? 'unknown login' : 'wrong password');
    throw new ApiError('sign_in_failed');
  }
  if (user.totpEnabled) {
    const code = login.code ?? '';
    if (code === '') {
      await attempt.refund();
      throw new ApiError('code_required');
    }
    if (!(await checkSecondFactor(deps, user, code, caller))) {
      await fail('wrong code');
      throw new ApiError('code_wrong');
    }
  }
  await attempt.succeeded();
  return await beginSession(deps, user, caller, userAgent);
}

/** Begin a session of a user who has been authenticated. Throws `account_disabled`. */
export async function beginSession(
  { db, clock }: StoreDeps,
  user: User,
  caller: Caller,
  userAgent: string,
): Promise<SignedIn> {
  if (user.disabledAt !== null) {
    const details = { reason: 'disabled' };
    await recordAudit(db, clock(), caller, { action: 'user.sign_in_failed', subject: user.id, details });
    throw new ApiError('account_disabled');
  }
  const begun = await db.transaction(async (tx) => {
    const inserted = await insertSession(tx, { userId: user.id, address: caller.address, userAgent }, clock());
    await recordAudit(
      tx,
      clock(),
      { ...caller, userId: user.id },
      { action: 'user.sign_in', subject: inserted.session.id },
    );
    return inserted;
  });
  return { user, ...begun };
}

/** End a session of the user. Throws `not_found`. */
export async function endSession(
  { db, clock }: StoreDeps,
  id: string,
  userId: string,
  caller: Caller,
  action: 'user.sign_out' | 'session.end',
): Promise<void> {
  await db.transaction(async (tx: Database) => {
    if (!(await deleteSession(tx, userId, id))) {
      throw new ApiError('not_found', { kind: 'session', id: id.slice(0, 100) });
    }
    await recordAudit(tx, clock(), caller, { action, subject: id });
  });
}
