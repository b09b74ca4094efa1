/** The kinds of access that a route can name. */
import { ApiError, type Scope } from '@gptj-cloud/protocol';
import type { Caller } from '../../audit/audit-log.ts';
import type { Access, Route } from '../../http/route.ts';
import { isServerOwner } from '../../identity/principal.ts';
import type { SignedIn } from '../../identity/sessions/sign-in.ts';
import { type Authenticated, callerOf, type Guard } from './guard.ts';

export type ApiRoute = Route<Guard>;

/** On public routes the caller has no user. */
export interface PublicGrant {
  readonly caller: Caller;
}

/** The user who is signed in, beside everything else that authentication found. */
export interface SessionGrant extends Authenticated {
  readonly signedIn: SignedIn;
}

/**
 * Without authentication. A POST from a page of another site is refused, and those of one address are counted before the
 * body is read, unless they succeed.
 */
export const PUBLIC: Access<Guard, PublicGrant> = {
  security: [],
  async authorize(guard, c) {
    guard.refuseOtherSites(c);
    if (c.req.method === 'POST') c.get('load')?.countAttempt();
    return { caller: callerOf(c) };
  },
};

/** As {@link PUBLIC}, with the session of the request, where it has one with its CSRF token. */
export const PUBLIC_OR_SESSION: Access<Guard, PublicGrant & { readonly signedIn: SignedIn | undefined }> = {
  ...PUBLIC,
  async authorize(guard, c) {
    return { ...(await PUBLIC.authorize(guard, c)), signedIn: await guard.findSignedIn(c) };
  },
};

/** What a token must show for a request that a session has to confirm. */
export interface ConfirmationRule {
  /** `confirm`: the password of its user, with the request. `scope`: nothing more. */
  readonly tokens: 'confirm' | 'scope';
}

/**
 * As `access`, and the user is there in person: the session began, or was confirmed by password and code, a short time ago,
 * or the request carries both. A stolen session must not get a hold that outlives it.
 */
export function inPerson<Grant extends Authenticated>(
  access: Access<Guard, Grant>,
  { tokens }: ConfirmationRule,
): Access<Guard, Grant> {
  const who = tokens === 'confirm' ? 'A session or token' : 'A session';
  const note = `${who} needs a recent confirmation, see \`POST /v2/auth/confirm\`.`;
  return {
    ...access,
    note: access.note === undefined ? note : `${access.note} ${note}`,
    async authorize(guard, c) {
      const grant = await access.authorize(guard, c);
      if (grant.signedIn !== undefined || tokens === 'confirm') await grant.requireConfirmation();
      return grant;
    },
  };
}

/** As {@link PUBLIC}, not counted: for a sender whose signature the handler checks. */
export const SIGNED: Access<Guard, PublicGrant> = {
  security: [],
  async authorize(_guard, c) {
    return { caller: callerOf(c) };
  },
};

/** Load balancers ask without authentication, and need an answer above all when the server is busy. */
export const PROBE: Access<Guard, PublicGrant> = { ...PUBLIC, isProbe: true };

/** An API token with one of the scopes, or with `admin`; or a session. Without scopes: any token. */
export function scope(...scopes: readonly Scope[]): Access<Guard, Authenticated> {
  return {
    security: ['token', 'session'],
    authorize: (guard, c) => guard.authenticate(c, { scopes, allowUnverified: false }),
  };
}

/** The scope `run`, for routes that generate: replies have headers with what the plan leaves. */
export const METERED: Access<Guard, Authenticated> = {
  ...scope('run'),
  note: 'Where the plan has limits, replies have the headers `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`.',
  async authorize(guard, c) {
    const grant = await scope('run').authorize(guard, c);
    c.set('limitHeaders', () => guard.limitHeaders(grant.principal));
    return grant;
  },
};

/** An API token with the scope `read` to read and `write` for everything else; or a session. */
export const READ_OR_WRITE: Access<Guard, Authenticated> = {
  security: ['token', 'session'],
  authorize(guard, c) {
    const reads = ['GET', 'HEAD'].includes(c.req.method);
    return guard.authenticate(c, { scopes: [reads ? 'read' : 'write'], allowUnverified: false });
  },
};

/** A session. An API token is refused with `session_required`: a stolen token must not be able to take over an account. */
export const SESSION: Access<Guard, SessionGrant> = session(false);

/** A session, also of a user whose e-mail address is not verified yet. */
export const UNVERIFIED_SESSION: Access<Guard, SessionGrant> = session(true);

/** An owner of the server, by a session or by a token with the scope `admin`. `action` names the request in errors. */
export function serverOwner(action: string): Access<Guard, Authenticated> {
  return {
    security: ['token', 'session'],
    note: 'For owners of the server.',
    async authorize(guard, c) {
      const authenticated = await guard.authenticate(c, { scopes: ['admin'], allowUnverified: false });
      if (!isServerOwner(authenticated.principal)) throw new ApiError('owner_required', { action });
      return authenticated;
    },
  };
}

function session(allowUnverified: boolean): Access<Guard, SessionGrant> {
  return {
    security: ['session'],
    async authorize(guard, c) {
      const authenticated = await guard.authenticate(c, { scopes: [], allowUnverified });
      const { signedIn } = authenticated;
      if (signedIn === undefined) throw new ApiError('session_required');
      return { ...authenticated, signedIn };
    },
  };
}
