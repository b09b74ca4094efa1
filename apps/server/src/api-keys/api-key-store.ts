import { newId } from '@gptj-cloud/protocol';
import { and, count, eq, ne } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { apiKeys } from '../store/schema.ts';
import { type ApiKey, hashToken, newToken, sameHash } from './api-key.ts';

/** The key a token belongs to, or null. */
export async function findApiKey(db: Database, token: string): Promise<ApiKey | null> {
  const hash = hashToken(token);
  const rows = await db.select().from(apiKeys).where(eq(apiKeys.hash, hash));
  const row = rows[0];
  if (row === undefined || !sameHash(row.hash, hash)) return null;
  return { ...row, source: row.source === 'environment' ? 'environment' : 'generated' };
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
  return await db.transaction(async (tx) => {
    const fromEnvironment = eq(apiKeys.source, 'environment');
    if (environmentToken !== null) {
      const hash = hashToken(environmentToken);
      await tx.delete(apiKeys).where(and(fromEnvironment, ne(apiKeys.hash, hash)));
      await tx
        .insert(apiKeys)
        .values({ id: newId('token'), name: 'GPTJ_API_TOKEN', hash, source: 'environment', createdAt })
        .onConflictDoNothing({ target: apiKeys.hash });
      return null;
    }
    await tx.delete(apiKeys).where(fromEnvironment);
    const totals = await tx.select({ total: count() }).from(apiKeys);
    if ((totals[0]?.total ?? 0) > 0) return null;
    const token = newToken();
    await tx
      .insert(apiKeys)
      .values({ id: newId('token'), name: 'first token', hash: hashToken(token), source: 'generated', createdAt });
    return token;
  });
}
