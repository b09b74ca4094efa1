import { newId, type PageQuery, SCOPES } from '@gptj-cloud/protocol';
import { and, eq, inArray, isNull, lte, ne, or, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { batched } from '../../store/batched.ts';
import type { Database } from '../../store/db.ts';
import { findPage, type Page } from '../../store/page.ts';
import { apiKeys, projectMembers, projects, users } from '../identity-tables.ts';
import type { Principal } from '../principal.ts';
import { hashSecret } from '../secret.ts';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../users/first-user.ts';
import { lockUser } from '../users/user-store.ts';
import { type ApiKey, newToken, readScopes, sameHash, tokenHint, writeScopes } from './api-key.ts';

/** Precision of `last_used`: a write for every request would cost too much. */
export const KEY_USE_RESOLUTION_MS = 60_000;

/** The key of a token, with the principal that it authenticates. */
export interface FoundApiKey {
  readonly key: ApiKey;
  readonly principal: Principal;
  /** Whether the user's e-mail address is verified. */
  readonly verified: boolean;
  /** Whether the user's account is disabled. */
  readonly disabled: boolean;
  /** Whether the token is the value before the latest rotation. */
  readonly isPrevious: boolean;
}

/**
 * Create a function that finds the key of a token, whatever its state, or null. It queries the store every time, so that
 * a revocation takes effect at once. Concurrent requests share a query.
 */
export function createKeyFinder(db: Database): (token: string) => Promise<FoundApiKey | null> {
  const query = prepareKeyQuery(db);
  return batched('api-keys', async (tokens: readonly string[]) => {
    const hashes = tokens.map(hashSecret);
    const rows = await query.execute({ hashes: [...new Set(hashes)] });
    return hashes.map((hash) => {
      const current = rows.find(({ key }) => sameHash(key.hash, hash));
      if (current !== undefined) return toFound(current, false);
      const row = rows.find(({ key }) => key.previousHash !== null && sameHash(key.previousHash, hash));
      return row === undefined ? null : toFound(row, true);
    });
  });
}

/** The query of every request. To put its SQL together each time takes as long as the rest of the look-up. */
function prepareKeyQuery(db: Database) {
  const hashes = sql.placeholder('hashes');
  const payer = alias(users, 'payer');
  return (
    db
      .select({
        key: apiKeys,
        role: users.role,
        verifiedAt: users.verifiedAt,
        disabledAt: users.disabledAt,
        planId: payer.planId,
      })
      .from(apiKeys)
      .innerJoin(users, eq(users.id, apiKeys.userId))
      // The keys of former members find nothing.
      .innerJoin(
        projectMembers,
        and(eq(projectMembers.projectId, apiKeys.projectId), eq(projectMembers.userId, apiKeys.userId)),
      )
      .innerJoin(projects, eq(projects.id, apiKeys.projectId))
      .innerJoin(payer, eq(payer.id, projects.ownerId))
      // One parameter: the statement, and its cached plan, are the same for any number of tokens.
      .where(sql`${apiKeys.hash} = ANY(${hashes}) OR ${apiKeys.previousHash} = ANY(${hashes})`)
      // Without a name of its own: the pool gives one where it pays.
      .prepare('')
  );
}

interface FoundRow {
  readonly key: typeof apiKeys.$inferSelect;
  readonly role: Principal['role'];
  readonly verifiedAt: Date | null;
  readonly disabledAt: Date | null;
  readonly planId: string;
}

function toFound(row: FoundRow, isPrevious: boolean): FoundApiKey {
  const key = toApiKey(row.key);
  return {
    key,
    isPrevious,
    verified: row.verifiedAt !== null,
    disabled: row.disabledAt !== null,
    principal: {
      userId: key.userId,
      projectId: key.projectId,
      apiKeyId: key.id,
      role: row.role,
      planId: row.planId,
      scopes: key.scopes,
    },
  };
}

/** What a start did with the tokens of the store. */
export interface EnsuredApiKeys {
  /** A first token, generated now; null: none was. */
  readonly generated: string | null;
  /** Whether the environment's token was added now. */
  readonly isAdded: boolean;
  /** Whether the environment's token is in the store, but disabled or expired. */
  readonly isUnusable: boolean;
  /** Tokens that earlier starts added from their environment. They stay valid until they are disabled or deleted. */
  readonly fromOtherStarts: number;
}

export interface EnsureApiKeyOptions {
  /** `GPTJ_API_TOKEN`; null: none. */
  readonly environmentToken: string | null;
  readonly now: Date;
  /** Keep a generated token for the operator. Called before it is stored: a token that is lost is never valid. */
  readonly keep?: (token: string) => Promise<void>;
}

/**
 * Make sure that an API key exists. A token from the environment is added, and takes no other token away: servers with
 * different environments share a store. Without one, a token is generated in a store that has neither tokens nor accounts.
 */
export async function ensureApiKey(
  db: Database,
  { environmentToken, now, keep = async () => {} }: EnsureApiKeyOptions,
): Promise<EnsuredApiKeys> {
  const row = (token: string) => ({
    id: newId('token'),
    hash: hashSecret(token),
    hint: tokenHint(token),
    userId: FIRST_USER_ID,
    projectId: DEFAULT_PROJECT_ID,
    scopes: writeScopes(SCOPES),
    createdAt: now,
    updatedAt: now,
  });
  const fromEnvironment = eq(apiKeys.source, 'environment');
  return await db.transaction(async (tx) => {
    if (environmentToken !== null) {
      const key = { ...row(environmentToken), name: 'GPTJ_API_TOKEN', source: 'environment' as const };
      const added = await tx
        .insert(apiKeys)
        .values(key)
        .onConflictDoNothing({ target: apiKeys.hash })
        .returning({ id: apiKeys.id });
      const [stored] = await tx.select().from(apiKeys).where(eq(apiKeys.hash, key.hash));
      const isExpired = stored?.expiresAt != null && stored.expiresAt <= now;
      return {
        generated: null,
        isAdded: added.length > 0,
        isUnusable: stored !== undefined && (!stored.isEnabled || isExpired),
        fromOtherStarts: await tx.$count(apiKeys, and(fromEnvironment, ne(apiKeys.hash, key.hash))),
      };
    }
    // If several servers start at the same time on one store, only one creates the first token.
    const owner = await lockUser(tx, FIRST_USER_ID);
    const fromOtherStarts = await tx.$count(apiKeys, fromEnvironment);
    const unchanged = { generated: null, isAdded: false, isUnusable: false, fromOtherStarts };
    const hasAccounts = owner.passwordHash !== null || (await tx.$count(users)) > 1;
    if (hasAccounts || (await tx.$count(apiKeys)) > 0) return unchanged;
    const token = newToken();
    await tx.insert(apiKeys).values({ ...row(token), name: 'first token', source: 'generated' });
    await keep(token);
    return { ...unchanged, generated: token };
  });
}

/** Selects the tokens of a user in one project. */
export interface KeyOwner {
  readonly userId: string;
  readonly projectId: string;
}

const ownedBy = ({ userId, projectId }: KeyOwner) => and(eq(apiKeys.userId, userId), eq(apiKeys.projectId, projectId));

export async function insertApiKey(tx: Database, key: ApiKey, hash: string): Promise<void> {
  await tx.insert(apiKeys).values({ ...key, hash, scopes: writeScopes(key.scopes) });
}

export async function findOwnApiKey(db: Database, owner: KeyOwner, id: string): Promise<ApiKey | null> {
  const rows = await db
    .select()
    .from(apiKeys)
    .where(and(ownedBy(owner), eq(apiKeys.id, id)));
  return rows[0] === undefined ? null : toApiKey(rows[0]);
}

/** The names of API keys by their ids; absent for keys that do not exist. */
export async function findApiKeyNames(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: apiKeys.id, name: apiKeys.name })
    .from(apiKeys)
    // One parameter: the statement is the same for any number of ids.
    .where(sql`${apiKeys.id} = ANY(${sql.param([...new Set(ids)])})`);
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export async function countApiKeys(db: Database, owner: KeyOwner): Promise<number> {
  return await db.$count(apiKeys, ownedBy(owner));
}

export async function listApiKeys(db: Database, owner: KeyOwner, page: PageQuery<'created_at'>): Promise<Page<ApiKey>> {
  const load = async (ids: readonly string[]) =>
    (
      await db
        .select()
        .from(apiKeys)
        .where(inArray(apiKeys.id, [...ids]))
    ).map(toApiKey);
  const source = { table: apiKeys, time: apiKeys.createdAt, id: apiKeys.id, where: ownedBy(owner) };
  return await findPage(db, source, page, load, ({ id }) => id);
}

export async function updateApiKey(
  tx: Database,
  id: string,
  change: Pick<ApiKey, 'name' | 'isEnabled' | 'expiresAt' | 'updatedAt'>,
): Promise<void> {
  await tx.update(apiKeys).set(change).where(eq(apiKeys.id, id));
}

/** The new value of a key, and until when its present one is accepted. */
export interface KeyRotation {
  readonly hash: string;
  readonly hint: string;
  readonly previousUntil: Date;
  readonly updatedAt: Date;
}

/** Give a key another value. The value before the present one, if any, is not accepted any more. */
export async function rotateApiKey(tx: Database, id: string, rotation: KeyRotation): Promise<void> {
  await tx
    .update(apiKeys)
    .set({ ...rotation, previousHash: sql`${apiKeys.hash}` })
    .where(eq(apiKeys.id, id));
}

export async function deleteApiKey(tx: Database, id: string): Promise<void> {
  await tx.delete(apiKeys).where(eq(apiKeys.id, id));
}

/**
 * Delete all keys of a user, in all projects, but the one that the server's environment contains: the operator set it, and
 * the next start would restore it. Returns how many there were.
 */
export async function deleteKeysOf(tx: Database, userId: string): Promise<number> {
  const deleted = await tx
    .delete(apiKeys)
    .where(and(eq(apiKeys.userId, userId), ne(apiKeys.source, 'environment')))
    .returning({ id: apiKeys.id });
  return deleted.length;
}

/** Record the use of a key. When several servers do so at once, one writes. */
export async function recordKeyUse(db: Database, id: string, now: Date): Promise<void> {
  const before = new Date(now.getTime() - KEY_USE_RESOLUTION_MS);
  await db
    .update(apiKeys)
    .set({ lastUsedAt: now })
    .where(and(eq(apiKeys.id, id), or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, before))));
}

function toApiKey(row: typeof apiKeys.$inferSelect): ApiKey {
  const { hash: _, previousHash: __, scopes, ...rest } = row;
  return { ...rest, scopes: readScopes(scopes) };
}
