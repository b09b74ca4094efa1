/**
 * Sign-in, registration and the security of the own account. All calls but the public ones need a client with a session.
 * No call but the reading ones is retried.
 */
import type { Endpoint } from '../connection.ts';
import { order, read, remove, send } from '../exchange.ts';
import { booleanAt, dataOf, dateAt, listOf, nullable, numberAt, objectAt, record, stringAt } from '../fields.ts';
import type { CallOptions, Confirmation, ConfirmedOptions } from '../options.ts';
import type { Keep } from '../reply-types.ts';
import type { SessionAccess } from '../session-access.ts';
import { parseSession, parseUser, type Session, type User } from './session-records.ts';

export interface NewAccount {
  readonly email: string;
  readonly username: string;
  readonly password: string;
}

export interface SignIn {
  /** E-mail address or username. */
  readonly login: string;
  readonly password: string;
  /** Two-factor or recovery code: without it the error `code_required` asks for one. */
  readonly code?: string | undefined;
}

/** The secret of a mailed link, which follows its `#`. Without a session of the account its password is needed as well. */
export interface LinkSecret {
  readonly token: string;
  readonly password?: string | undefined;
}

/** How much of each a recovery has ended. */
export interface Recovery {
  readonly sessions: number;
  readonly tokens: number;
  readonly identities: number;
  readonly webhooks: number;
  readonly members: number;
  readonly invitations: number;
  readonly memberships: number;
  readonly twoFactor: boolean;
}

/** One of the user's sessions. */
export interface SessionEntry {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastSeen: Date;
  readonly expiresAt: Date;
  readonly address: string;
  readonly userAgent: string;
  /** Whether it is the one that sent the request. */
  readonly current: boolean;
}

/** An account of a provider that signs in to this account. */
export interface Identity {
  readonly id: string;
  readonly provider: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsed: Date | null;
}

/** The unused recovery codes, of those that were made. */
export interface RecoveryCodesLeft {
  readonly twoFactor: boolean;
  readonly left: number;
  readonly of: number;
}

export interface Auth {
  /** Public. Null: the account begins when its address is confirmed by the mailed link. */
  register(account: NewAccount, options?: CallOptions): Promise<User | null>;
  /** Public. */
  login(signIn: SignIn, options?: CallOptions): Promise<Session>;
  logout(options?: CallOptions): Promise<void>;
  /** Throws `SessionEndedError` when there is none. */
  session(options?: CallOptions): Promise<Session>;
  /** Public: creates the first owner. `token` is the secret of the printed link. */
  setUp(account: NewAccount & { readonly token: string }, options?: CallOptions): Promise<User>;
  /** Public. */
  verifyEmail(link: LinkSecret, options?: CallOptions): Promise<User>;
  sendVerification(options?: CallOptions): Promise<void>;
  /** Public. */
  forgotPassword(email: string, options?: CallOptions): Promise<void>;
  /** Public. The result says what the recovery has ended. */
  resetPassword(
    reset: { readonly token: string; readonly password: string; readonly keep?: readonly Keep[] },
    options?: CallOptions,
  ): Promise<Recovery>;
  /** Public: change to the address to which the link was sent. */
  confirmEmail(link: LinkSecret, options?: CallOptions): Promise<User>;
  /** Confirm to be there in person. Returns the time until which this session needs no other confirmation. */
  confirm(confirmation: Confirmation, options?: CallOptions): Promise<Date>;
  changePassword(
    change: {
      readonly currentPassword: string;
      readonly newPassword: string;
      /** Whether the API tokens end as well. */
      readonly revokeTokens?: boolean;
      readonly code?: string | undefined;
    },
    options?: CallOptions,
  ): Promise<void>;
  /** Request a link to the new address. */
  changeEmail(email: string, confirmation: Confirmation, options?: CallOptions): Promise<void>;
  deleteAccount(confirmation: Confirmation, options?: CallOptions): Promise<void>;
  /** Begin to turn two-factor sign-in on: the secret for an authenticator app, and its address for a QR code. */
  beginTwoFactor(password: string, options?: CallOptions): Promise<{ readonly secret: string; readonly uri: string }>;
  /** Turn it on. Returns the recovery codes, which are shown only once. */
  confirmTwoFactor(code: string, options?: CallOptions): Promise<readonly string[]>;
  endTwoFactor(confirmation: Confirmation, options?: CallOptions): Promise<void>;
  /** How many recovery codes are unused. */
  recoveryCodesLeft(options?: CallOptions): Promise<RecoveryCodesLeft>;
  /** New recovery codes, which are shown only once; the earlier ones end. */
  renewRecoveryCodes(confirmation: Confirmation, options?: CallOptions): Promise<readonly string[]>;
  sessions(options?: CallOptions): Promise<readonly SessionEntry[]>;
  endSession(id: string, options?: CallOptions): Promise<void>;
  /** Public: names of the providers that sign in. */
  providers(options?: CallOptions): Promise<readonly string[]>;
  /** Address that a browser opens to sign in with a provider. */
  providerAddress(provider: string): string;
  /** Public: the second factor after a sign-in with a provider. `token` follows the `#` of the page's address. */
  sendProviderCode(
    secondFactor: { readonly token: string; readonly code: string },
    options?: CallOptions,
  ): Promise<Session>;
  identities(options?: CallOptions): Promise<readonly Identity[]>;
  /** Returns an address to open in the browser, which links the provider. */
  linkIdentity(provider: string, confirmation: Confirmation, options?: CallOptions): Promise<string>;
  unlinkIdentity(id: string, options?: ConfirmedOptions): Promise<void>;
}

const parseRecovery = record<Recovery>({
  sessions: numberAt,
  tokens: numberAt,
  identities: numberAt,
  webhooks: numberAt,
  members: numberAt,
  invitations: numberAt,
  memberships: numberAt,
  twoFactor: booleanAt,
});

const parseEntry = record<SessionEntry>({
  id: stringAt,
  createdAt: dateAt,
  lastSeen: dateAt,
  expiresAt: dateAt,
  address: stringAt,
  userAgent: stringAt,
  current: booleanAt,
});

const parseIdentity = record<Identity>({
  id: stringAt,
  provider: stringAt,
  name: stringAt,
  createdAt: dateAt,
  lastUsed: nullable(dateAt),
});

const ROOT = '/v2/auth';

/** `session` is null for a client with a token. */
export function createAuth(endpoint: Endpoint, session: SessionAccess | null): Auth {
  const learn = (reply: unknown): Session => {
    const read = parseSession(reply);
    session?.learn({ userId: read.user.id, csrfToken: read.csrfToken });
    return read;
  };
  /** Ends the session of this client, so its CSRF token is not valid any more. */
  const leave = async (path: string, body: unknown, options?: CallOptions): Promise<void> => {
    await order(endpoint, { path, body }, options);
    session?.forget();
  };
  return {
    register: async ({ email, username, password }, options) =>
      await send(
        endpoint,
        { path: `${ROOT}/register`, body: { email, username, password }, session: 'none' },
        (reply) => ('id' in objectAt(reply, 'a user') ? parseUser(reply) : null),
        options,
      ),
    login: async ({ login, password, code }, options) =>
      await send(endpoint, { path: `${ROOT}/login`, body: { login, password, code }, session: 'none' }, learn, options),
    logout: async (options) => await leave(`${ROOT}/logout`, undefined, options),
    session: async (options) => await read(endpoint, `${ROOT}/session`, learn, options),
    setUp: async ({ token, email, username, password }, options) => {
      const body = { token, email, username, password };
      return await send(endpoint, { path: `${ROOT}/set-up`, body, session: 'none' }, parseUser, options);
    },
    verifyEmail: async ({ token, password }, options) => {
      const body = { token, password };
      return await send(endpoint, { path: `${ROOT}/verify-email`, body, session: 'used' }, parseUser, options);
    },
    sendVerification: async (options) => await order(endpoint, { path: `${ROOT}/verify-email/send` }, options),
    forgotPassword: async (email, options) =>
      await order(endpoint, { path: `${ROOT}/forgot-password`, body: { email }, session: 'none' }, options),
    resetPassword: async ({ token, password, keep }, options) =>
      await send(
        endpoint,
        { path: `${ROOT}/reset-password`, body: { token, password, keep }, session: 'none' },
        (reply) => parseRecovery(objectAt(reply, 'a recovery').ended, 'ended'),
        options,
      ),
    confirmEmail: async ({ token, password }, options) => {
      const body = { token, password };
      return await send(endpoint, { path: `${ROOT}/change-email`, body, session: 'used' }, parseUser, options);
    },
    confirm: async ({ password, code }, options) =>
      await send(
        endpoint,
        { path: `${ROOT}/confirm`, body: { password, code } },
        (reply) => dateAt(objectAt(reply, 'a confirmation').confirmed_until, 'confirmed_until'),
        options,
      ),
    changePassword: async ({ currentPassword, newPassword, revokeTokens, code }, options) => {
      const body = { current_password: currentPassword, new_password: newPassword, revoke_tokens: revokeTokens, code };
      await order(endpoint, { path: `${ROOT}/password`, body }, options);
    },
    changeEmail: async (email, { password, code }, options) =>
      await order(endpoint, { path: `${ROOT}/email`, body: { email, password, code } }, options),
    deleteAccount: async ({ password, code }, options) =>
      await leave(`${ROOT}/delete-account`, { password, code }, options),
    beginTwoFactor: async (password, options) =>
      await send(
        endpoint,
        { path: `${ROOT}/two-factor`, body: { password } },
        record<{ readonly secret: string; readonly uri: string }>({ secret: stringAt, uri: stringAt }),
        options,
      ),
    confirmTwoFactor: async (code, options) =>
      await send(
        endpoint,
        { path: `${ROOT}/two-factor/confirm`, body: { code } },
        (reply) => listOf(stringAt)(objectAt(reply, 'recovery codes').recovery_codes, 'recovery_codes'),
        options,
      ),
    endTwoFactor: async ({ password, code }, options) =>
      await order(endpoint, { path: `${ROOT}/two-factor/disable`, body: { password, code } }, options),
    recoveryCodesLeft: async (options) =>
      await read(
        endpoint,
        `${ROOT}/two-factor/recovery-codes`,
        record<RecoveryCodesLeft>({ twoFactor: booleanAt, left: numberAt, of: numberAt }),
        options,
      ),
    renewRecoveryCodes: async ({ password, code }, options) =>
      await send(
        endpoint,
        { path: `${ROOT}/two-factor/recovery-codes`, body: { password, code } },
        (reply) => listOf(stringAt)(objectAt(reply, 'recovery codes').recovery_codes, 'recovery_codes'),
        options,
      ),
    sessions: async (options) => await read(endpoint, `${ROOT}/sessions`, dataOf(parseEntry), options),
    endSession: async (id, options) => await remove(endpoint, `${ROOT}/sessions/${encodeURIComponent(id)}`, options),
    providers: async (options) =>
      await read(
        endpoint,
        `${ROOT}/oauth`,
        dataOf((item) => stringAt(objectAt(item, 'data').name, 'name')),
        options,
      ),
    providerAddress: (provider) => `${endpoint.url}${ROOT}/oauth/${encodeURIComponent(provider)}`,
    sendProviderCode: async ({ token, code }, options) =>
      await send(endpoint, { path: `${ROOT}/oauth-code`, body: { token, code }, session: 'none' }, learn, options),
    identities: async (options) => await read(endpoint, `${ROOT}/identities`, dataOf(parseIdentity), options),
    linkIdentity: async (provider, { password, code }, options) =>
      await send(
        endpoint,
        { path: `${ROOT}/identities`, body: { provider, password, code } },
        (reply) => stringAt(objectAt(reply, 'an address').authorization_url, 'authorization_url'),
        options,
      ),
    unlinkIdentity: async (id, options) =>
      await remove(endpoint, `${ROOT}/identities/${encodeURIComponent(id)}`, options),
  };
}
