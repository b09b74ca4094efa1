import { newId } from '@gptj-cloud/protocol';
import { and, count, eq, ne } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../accounts/first-user.ts';
import type { Principal } from '../accounts/principal.ts';
import { projectMembers, projects, users } from '../store/accounts-tables.ts';
import type { Database } from '../store/db.ts';
import { apiKeys } from '../store/schema.ts';
import { type ApiKey, hashToken, newToken, readScopes, SCOPES, sameHash, tokenHint, writeScopes } from './api-key.ts';

/** A key that a token named, and who asks by it. */
export interface FoundApiKey {
  readonly key: ApiKey;
  readonly principal: Principal;
}

/** The key a token belongs to, whatever its state, or null. Asks the store every time: what is revoked ends at once. */
export async function findApiKey(db: Database, token: string): Promise<FoundApiKey | null> {
  const hash = hashToken(token);
  const payer = alias(users, 'payer');
  const rows = await db
    .select({ key: apiKeys, role: users.role, planId: payer.planId })
    .from(apiKeys)
    .innerJoin(users, eq(users.id, apiKeys.userId))
    // Who left a project keeps no way into it.
    .innerJoin(
      projectMembers,
      and(eq(projectMembers.projectId, apiKeys.projectId), eq(projectMembers.userId, apiKeys.userId)),
    )
    .innerJoin(projects, eq(projects.id, apiKeys.projectId))
    .innerJoin(payer, eq(payer.id, projects.ownerId))
    .where(eq(apiKeys.hash, hash));
  const row = rows[0];
  if (row === undefined || !sameHash(row.key.hash, hash)) return null;
  const key = toApiKey(row.key);
  return {
    key,
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

/**
 * See that there is a way in. A token from the environment is the key for as long as it stands there: another one
 * replaces it. Without one, and with no key in the store, a token is made. Returns it, to be shown this once, or null.
 */
export async function ensureApiKey(
  db: Database,
  environmentToken: string | null,
  createdAt: Date,
): Promise<string | null> {
  const row = (token: string) => ({
    id: newId('token'),
    hash: hashToken(token),
    hint: tokenHint(token),
    userId: FIRST_USER_ID,
    projectId: DEFAULT_PROJECT_ID,
    scopes: writeScopes(SCOPES),
    createdAt,
    updatedAt: createdAt,
  });
  return await db.transaction(async (tx) => {
    const fromEnvironment = eq(apiKeys.source, 'environment');
    if (environmentToken !== null) {
      const key = row(environmentToken);
      await tx.delete(apiKeys).where(and(fromEnvironment, ne(apiKeys.hash, key.hash)));
      await tx
        .insert(apiKeys)
        .values({ ...key, name: 'GPTJ_API_TOKEN', source: 'environment' })
        .onConflictDoNothing({ target: apiKeys.hash });
      return null;
    }
    await tx.delete(apiKeys).where(fromEnvironment);
    const totals = await tx.select({ total: count() }).from(apiKeys);
    if ((totals[0]?.total ?? 0) > 0) return null;
    const token = newToken();
    await tx.insert(apiKeys).values({ ...row(token), name: 'first token', source: 'generated' });
    return token;
  });
}

function toApiKey(row: typeof apiKeys.$inferSelect): ApiKey {
  const { hash: _, scopes, ...rest } = row;
  return { ...rest, scopes: readScopes(scopes) };
}
