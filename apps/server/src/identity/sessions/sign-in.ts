import { ApiError, type Login } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { MailDeps, PasswordDeps, RegistrationDeps, StoreDeps } from '../account-deps.ts';
import { checkSecondFactor } from '../two-factor/two-factor.ts';
import type { User } from '../users/user.ts';
import { findUserByLogin } from '../users/user-store.ts';
import { type Client, deviceSecret, findKnownOrigin, type KnownOrigin, rememberDevice } from './known-device-store.ts';
import { beginCheck, beginSignIn, verifyCounted } from './login-guard.ts';
import type { Session } from './session.ts';
import { confirmSession, deleteSession, insertSession } from './session-store.ts';

/** A session that has just begun. */
export interface SignedIn {
  readonly user: User;
  readonly session: Session;
  /** Value of the session's cookie. */
  readonly secret: string;
}

/** A session that has just begun by a sign-in. */
export interface NewSignIn extends SignedIn {
  /** Value of the cookie by which the account knows the browser from now on. */
  readonly device: string;
}

/**
 * Sign in with e-mail address or username, password and, where it is on, a second factor.
 * Throws the same `sign_in_failed` for an unknown login and a wrong password, `code_required`, `code_wrong`,
 * `too_many_attempts`, `account_disabled`.
 */
export async function signIn(
  deps: MailDeps & PasswordDeps,
  login: Login,
  caller: Caller,
  client: Client,
): Promise<NewSignIn> {
  const { db, clock } = deps;
  const { address } = caller;
  const user = await findUserByLogin(db, login.login);
  const known = await findKnownOrigin(db, user?.id ?? null, { device: client.device, address }, clock());
  const attempt = await beginSignIn(db, clock(), { login: login.login, address, known });
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
    const check = await beginCheck(db, clock(), 'second_factor', secondFactorOwner(user, known)).catch(
      async (error) => {
        await attempt.refund();
        throw error;
      },
    );
    if (!(await checkSecondFactor(deps, user, code, caller))) {
      await fail('wrong code');
      throw new ApiError('code_wrong');
    }
    await check.succeeded();
  }
  await attempt.succeeded();
  return await beginSession(deps, user, caller, client);
}

/**
 * Whose count a second factor belongs to: only a caller with the right password or provider can guess codes, from any
 * number of addresses, so that all unknown devices share one.
 */
export function secondFactorOwner(user: User, known: KnownOrigin): string {
  return known !== null && known !== 'network' ? known.device : user.id;
}

/** Begin a session of a user who has been authenticated. Throws `account_disabled`. */
export async function beginSession(
  { db, clock }: StoreDeps,
  user: User,
  caller: Caller,
  { userAgent, device: given }: Client,
): Promise<NewSignIn> {
  if (user.disabledAt !== null) {
    const details = { reason: 'disabled' };
    await recordAudit(db, clock(), caller, { action: 'user.sign_in_failed', subject: user.id, details });
    throw new ApiError('account_disabled');
  }
  const device = deviceSecret(given);
  const begun = await db.transaction(async (tx) => {
    const inserted = await insertSession(tx, { userId: user.id, address: caller.address, userAgent }, clock());
    await rememberDevice(tx, user.id, { device, address: caller.address }, clock());
    await recordAudit(
      tx,
      clock(),
      { ...caller, userId: user.id },
      { action: 'user.sign_in', subject: inserted.session.id },
    );
    return inserted;
  });
  return { user, device, ...begun };
}

/** Record that the user of a session is there in person. Returns the time until which that holds. */
export async function confirmSessionNow(
  { db, clock, settings }: StoreDeps & Pick<RegistrationDeps, 'settings'>,
  sessionId: string,
): Promise<Date> {
  const now = clock();
  await confirmSession(db, sessionId, now);
  return new Date(now.getTime() + settings.confirmationMs);
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
