/**
 * API tokens of this account. Every call needs a token with the scope `admin`. A token alone makes no token: to create one,
 * to enable one or to let one live longer also needs the password of its user.
 */
import type { Endpoint } from '../connection.ts';
import { read, remove, send } from '../exchange.ts';
import { booleanAt, dateAt, listOf, nullable, oneOf, optional, pageOf, record, stringAt } from '../fields.ts';
import { type CallOptions, type ConfirmedOptions, type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';

/** `run` makes and reads runs, `read` reads, `write` changes, `admin` includes all of them and manages accounts. */
export type Scope = 'run' | 'read' | 'write' | 'admin';

export interface ApiToken {
  readonly id: string;
  /** Complete in the reply of `create` only; later all but its first characters are masked. */
  readonly value: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsed: Date | null;
  /** Whether it is accepted now: enabled and not expired. */
  readonly isActive: boolean;
  readonly isEnabled: boolean;
  readonly projectId: string | null;
  /** Until when the value before the latest rotation is accepted. */
  readonly previousValueUntil: Date | null;
  readonly scopes: readonly Scope[];
}

export interface NewToken {
  readonly name?: string;
  /** Default: `run`, `read` and `write`. */
  readonly scopes?: readonly Scope[];
  /** Default: never. */
  readonly expiresAt?: Date;
}

export interface TokenChange {
  readonly name?: string;
  readonly isEnabled?: boolean;
  /** Null: never. */
  readonly expiresAt?: Date | null;
}

export interface Tokens {
  /** Never retried: a request whose reply was lost may have created a token. */
  create(token: NewToken, options?: ConfirmedOptions): Promise<ApiToken>;
  list(options?: ListOptions): PagePromise<ApiToken>;
  get(id: string, options?: CallOptions): Promise<ApiToken>;
  change(id: string, change: TokenChange, options?: ConfirmedOptions): Promise<ApiToken>;
  /**
   * Give the token another value, which is complete in this reply only; its id, name and scopes stay. The present value is
   * accepted for `overlapSeconds` more, by default not at all, at most a week. Never retried.
   */
  rotate(id: string, rotation?: { readonly overlapSeconds?: number }, options?: ConfirmedOptions): Promise<ApiToken>;
  /** Delete the token, which the server refuses from then on. */
  delete(id: string, options?: CallOptions): Promise<void>;
}

const parseToken = record<ApiToken>({
  id: stringAt,
  value: stringAt,
  name: stringAt,
  createdAt: dateAt,
  updatedAt: dateAt,
  expiresAt: nullable(dateAt),
  lastUsed: nullable(dateAt),
  isActive: booleanAt,
  isEnabled: booleanAt,
  projectId: nullable(stringAt),
  previousValueUntil: nullable(dateAt),
  scopes: optional(listOf(oneOf('run', 'read', 'write', 'admin')), []),
});

export function createTokens(endpoint: Endpoint): Tokens {
  const at = (id: string): string => `/v2/tokens/${encodeURIComponent(id)}`;
  return {
    create: async ({ name, scopes, expiresAt }, options) => {
      const body = { name, scopes, expires_at: expiresAt?.toISOString() };
      return await send(endpoint, { path: '/v2/tokens', body }, parseToken, options);
    },
    list: (options = {}) =>
      pagesOf(
        options,
        async (page) =>
          await read(endpoint, `/v2/tokens?${pageQuery(page)}`, (reply) => pageOf(reply, parseToken), page),
      ),
    get: async (id, options) => await read(endpoint, at(id), parseToken, options),
    change: async (id, { name, isEnabled, expiresAt }, options) => {
      const body = {
        name,
        is_enabled: isEnabled,
        expires_at: expiresAt === null ? null : expiresAt?.toISOString(),
      };
      return await send(endpoint, { method: 'PATCH', path: at(id), body }, parseToken, options);
    },
    rotate: async (id, { overlapSeconds } = {}, options) =>
      await send(
        endpoint,
        { path: `${at(id)}/rotate`, body: { overlap_seconds: overlapSeconds } },
        parseToken,
        options,
      ),
    async delete(id, options = {}) {
      await remove(endpoint, at(id), options);
    },
  };
}
