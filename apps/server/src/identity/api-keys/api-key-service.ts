import {
  ApiError,
  invalidParameter,
  newId,
  type PageQuery,
  TOKEN_TYPES,
  type TokenCreate,
  type TokenGet,
  type TokenPatch,
  type TokenRotate,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import { toPaginated } from '../../store/page.ts';
import type { MailDeps, StoreDeps } from '../account-deps.ts';
import { notify } from '../notices.ts';
import type { Principal } from '../principal.ts';
import { hashSecret } from '../secret.ts';
import { lockUser } from '../users/user-store.ts';
import { type ApiKey, newToken, readScopes, tokenHint, writeScopes } from './api-key.ts';
import {
  countApiKeys,
  deleteApiKey,
  findOwnApiKey,
  insertApiKey,
  type KeyOwner,
  listApiKeys,
  rotateApiKey,
  updateApiKey,
} from './api-key-store.ts';

const MAX_TOKENS = 100;

/**
 * Create a token for the principal's project. Only this reply contains the whole value.
 * Throws `invalid_request`, `scope_missing` for scopes beyond the principal's, `limit_reached`.
 */
export async function createToken(
  deps: MailDeps,
  principal: Principal,
  request: TokenCreate,
  caller: Caller,
): Promise<TokenGet> {
  const { db, clock } = deps;
  const now = clock();
  const scopes = requestedScopes(request, principal);
  const expiresAt = request.expires_at ?? null;
  if (expiresAt !== null) refusePast(expiresAt, now);
  const token = newToken();
  const key: ApiKey = {
    id: newId('token'),
    name: request.name ?? 'token',
    source: 'generated',
    userId: principal.userId,
    projectId: principal.projectId,
    scopes,
    hint: tokenHint(token),
    isEnabled: true,
    expiresAt,
    lastUsedAt: null,
    createdAt: now,
    updatedAt: now,
    previousUntil: null,
  };
  const user = await db.transaction(async (tx) => {
    // The lock keeps concurrent requests from passing the limit together.
    const locked = await lockUser(tx, principal.userId);
    if ((await countApiKeys(tx, principal)) >= MAX_TOKENS) {
      throw new ApiError('limit_reached', { limit: MAX_TOKENS, what: 'tokens in a project' });
    }
    await insertApiKey(tx, key, hashSecret(token));
    await recordAudit(tx, now, caller, {
      action: 'token.create',
      subject: key.id,
      projectId: key.projectId,
      details: { name: key.name, scopes, expires_at: expiresAt?.toISOString() ?? null },
    });
    return locked;
  });
  if (scopes.includes('admin')) {
    notify(deps, user, 'token_created', { id: key.id, name: key.name, scopes: scopes.join(', ') });
  }
  return { ...toTokenGet(key, now), value: token };
}

/** One of the owner's tokens. Throws `not_found` for any other token. */
export async function getToken({ db, clock }: StoreDeps, owner: KeyOwner, id: string): Promise<TokenGet> {
  return toTokenGet(await getOwnApiKey(db, owner, id), clock());
}

export async function listTokens(
  { db, clock }: StoreDeps,
  owner: KeyOwner,
  page: PageQuery<'created_at'>,
): Promise<{ skip: number; limit: number; total: number; data: TokenGet[]; next_cursor: string | null }> {
  return toPaginated(page, await listApiKeys(db, owner, page), (key) => toTokenGet(key, clock()));
}

export interface TokenChange {
  readonly id: string;
  readonly patch: TokenPatch;
  /** Throws unless the user is there in person. */
  readonly requireConfirmation: () => Promise<void>;
}

/**
 * Rename, enable, disable or expire a token, with effect from the next request. What makes a token stronger needs the same
 * confirmation as to create one: otherwise a stolen token could outlive its own end.
 */
export async function changeToken(
  { db, clock }: StoreDeps,
  owner: KeyOwner,
  { id, patch, requireConfirmation }: TokenChange,
  caller: Caller,
): Promise<TokenGet> {
  const now = clock();
  const expiresAt = patch.expires_at === undefined ? patch.expire_at : patch.expires_at;
  if (isStronger(await getOwnApiKey(db, owner, id), patch.is_enabled, expiresAt)) await requireConfirmation();
  const changed = await db.transaction(async (tx) => {
    const key = await getOwnApiKey(tx, owner, id);
    const next = {
      name: patch.name ?? key.name,
      isEnabled: patch.is_enabled ?? key.isEnabled,
      expiresAt: expiresAt === undefined ? key.expiresAt : expiresAt,
      updatedAt: now,
    };
    await updateApiKey(tx, key.id, next);
    await recordAudit(tx, now, caller, {
      action: 'token.update',
      subject: key.id,
      projectId: key.projectId,
      details: { name: next.name, is_enabled: next.isEnabled, expires_at: next.expiresAt?.toISOString() ?? null },
    });
    return { ...key, ...next };
  });
  return toTokenGet(changed, now);
}

function isStronger(key: ApiKey, isEnabled: boolean | undefined, expiresAt: Date | null | undefined): boolean {
  if (isEnabled === true && !key.isEnabled) return true;
  if (expiresAt === undefined || key.expiresAt === null) return false;
  return expiresAt === null || expiresAt > key.expiresAt;
}

/**
 * Give a token another value; its id, name, scopes and end stay. The present value is accepted until the overlap ends, the
 * one before it not any more. Only this reply contains the whole value. Throws `not_found`, `token_of_environment`.
 */
export async function rotateToken(
  deps: MailDeps,
  owner: KeyOwner,
  { id, overlap_seconds: overlapSeconds = 0 }: TokenRotate & { readonly id: string },
  caller: Caller,
): Promise<TokenGet> {
  const { db, clock } = deps;
  const now = clock();
  const token = newToken();
  const previousUntil = new Date(now.getTime() + overlapSeconds * 1000);
  const { key, user } = await db.transaction(async (tx) => {
    // The lock keeps two rotations of a token from both ending the value that the other has returned.
    const locked = await lockUser(tx, owner.userId);
    const found = await getOwnApiKey(tx, owner, id);
    if (found.source === 'environment') throw new ApiError('token_of_environment');
    const hint = tokenHint(token);
    await rotateApiKey(tx, found.id, { hash: hashSecret(token), hint, previousUntil, updatedAt: now });
    await recordAudit(tx, now, caller, {
      action: 'token.rotate',
      subject: found.id,
      projectId: found.projectId,
      details: { name: found.name, previous_value_until: previousUntil.toISOString() },
    });
    return { key: { ...found, hint, previousUntil, updatedAt: now }, user: locked };
  });
  if (key.scopes.includes('admin')) notify(deps, user, 'token_rotated', { id: key.id, name: key.name });
  return { ...toTokenGet(key, now), value: token };
}

export async function deleteToken(
  { db, clock }: StoreDeps,
  owner: KeyOwner,
  id: string,
  caller: Caller,
): Promise<void> {
  await db.transaction(async (tx) => {
    const key = await getOwnApiKey(tx, owner, id);
    await deleteApiKey(tx, key.id);
    await recordAudit(tx, clock(), caller, {
      action: 'token.delete',
      subject: key.id,
      projectId: key.projectId,
      details: { name: key.name },
    });
  });
}

/** The reply for a token, with only the first characters of its value. */
export function toTokenGet(key: ApiKey, now: Date): TokenGet {
  return {
    id: key.id,
    value: `${key.hint}••••••••`,
    name: key.name,
    created_at: toTimestamp(key.createdAt),
    updated_at: toTimestamp(key.updatedAt),
    expires_at: key.expiresAt === null ? null : toTimestamp(key.expiresAt),
    last_used: key.lastUsedAt === null ? null : toTimestamp(key.lastUsedAt),
    is_active: key.isEnabled && (key.expiresAt === null || key.expiresAt > now),
    is_enabled: key.isEnabled,
    previous_value_until: key.previousUntil === null ? null : toTimestamp(key.previousUntil),
    user_id: key.userId,
    project_id: key.projectId,
    scopes: [...key.scopes],
  };
}

async function getOwnApiKey(db: Database, owner: KeyOwner, id: string): Promise<ApiKey> {
  const key = await findOwnApiKey(db, owner, id);
  if (key === null) throw new ApiError('not_found', { kind: 'token', id: id.slice(0, 100) });
  return key;
}

function requestedScopes(request: TokenCreate, principal: Principal): ApiKey['scopes'] {
  const { type, scopes } = request;
  if (type != null && scopes != null) throw invalidParameter('body->scopes', 'expected type or scopes, got both');
  const requested = readScopes(writeScopes(scopes ?? TOKEN_TYPES[type ?? 'editor']));
  const beyond = principal.scopes.includes('admin')
    ? []
    : requested.filter((scope) => !principal.scopes.includes(scope));
  if (beyond.length > 0) {
    throw new ApiError('scope_missing', { expected: beyond.join(', '), got: principal.scopes.join(', ') });
  }
  return requested;
}

function refusePast(expiresAt: Date, now: Date): void {
  if (expiresAt <= now)
    throw invalidParameter('body->expires_at', 'expected a time in the future, got one in the past');
}
