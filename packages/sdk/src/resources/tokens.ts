/**
 * API tokens of this account. Every call needs a token with the scope `admin`. A token alone makes no token: to create one,
 * to enable one or to let one live longer also needs the password of its user.
 */
import type { Endpoint } from '../connection.ts';
import { exchange, remove, send } from '../exchange.ts';
import { arrayAt, booleanAt, dateAt, literalAt, objectAt, orNull, type Page, pageOf, stringAt } from '../fields.ts';
import {
  type CallOptions,
  type ConfirmedOptions,
  confirmationHeaders,
  type ListOptions,
  pageQuery,
} from '../options.ts';

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
  list(options?: ListOptions): Promise<Page<ApiToken>>;
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

const SCOPES: Readonly<Record<Scope, true>> = { run: true, read: true, write: true, admin: true };

export function createTokens(endpoint: Endpoint): Tokens {
  const at = (id: string): string => `/v2/tokens/${encodeURIComponent(id)}`;
  return {
    async create({ name, scopes, expiresAt }, { signal, confirmation } = {}) {
      const body = { name, scopes, expires_at: expiresAt?.toISOString() };
      return parseToken(
        await exchange(endpoint, {
          method: 'POST',
          path: '/v2/tokens',
          body,
          signal,
          headers: confirmationHeaders(confirmation),
        }),
      );
    },
    async list(options = {}) {
      const path = `/v2/tokens?${pageQuery(options)}`;
      return pageOf(await exchange(endpoint, { method: 'GET', path, signal: options.signal }), parseToken);
    },
    async get(id, { signal } = {}) {
      return parseToken(await exchange(endpoint, { method: 'GET', path: at(id), signal }));
    },
    async change(id, { name, isEnabled, expiresAt }, { signal, confirmation } = {}) {
      const body = {
        name,
        is_enabled: isEnabled,
        expires_at: expiresAt === null ? null : expiresAt?.toISOString(),
      };
      return parseToken(
        await exchange(endpoint, {
          method: 'PATCH',
          path: at(id),
          body,
          signal,
          headers: confirmationHeaders(confirmation),
        }),
      );
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

function parseToken(reply: unknown): ApiToken {
  const raw = objectAt(reply, 'a token');
  return {
    id: stringAt(raw.id, 'id'),
    value: stringAt(raw.value, 'value'),
    name: stringAt(raw.name, 'name'),
    createdAt: dateAt(raw.created_at, 'created_at'),
    updatedAt: dateAt(raw.updated_at, 'updated_at'),
    expiresAt: orNull(raw.expires_at, (value) => dateAt(value, 'expires_at')),
    lastUsed: orNull(raw.last_used, (value) => dateAt(value, 'last_used')),
    isActive: booleanAt(raw.is_active, 'is_active'),
    isEnabled: booleanAt(raw.is_enabled, 'is_enabled'),
    previousValueUntil: orNull(raw.previous_value_until, (value) => dateAt(value, 'previous_value_until')),
    projectId: orNull(raw.project_id, (value) => stringAt(value, 'project_id')),
    scopes: arrayAt(raw.scopes ?? [], 'scopes').map((scope) => literalAt(SCOPES, scope, 'scopes')),
  };
}
