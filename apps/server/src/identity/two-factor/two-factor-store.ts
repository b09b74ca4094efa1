import { and, eq, isNull, lt, or } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { recoveryCodes, users } from '../identity-tables.ts';
import { hashSecret } from '../secret.ts';

/** Mark the code of a TOTP time step as used. Of two requests with the same code, one gets `true`. */
export async function useTotpStep(db: Database, userId: string, step: number): Promise<boolean> {
  const updated = await db
    .update(users)
    .set({ totpLastStep: step })
    .where(and(eq(users.id, userId), or(isNull(users.totpLastStep), lt(users.totpLastStep, step))))
    .returning({ id: users.id });
  return updated.length > 0;
}

/** Store new recovery codes of a user in place of the earlier ones. */
export async function replaceRecoveryCodes(tx: Database, userId: string, codes: readonly string[]): Promise<void> {
  await deleteRecoveryCodes(tx, userId);
  await tx.insert(recoveryCodes).values(codes.map((code) => ({ userId, hash: hashSecret(code) })));
}

/** Delete a recovery code when the user has it. Of two requests with the same code, one gets `true`. */
export async function useRecoveryCode(tx: Database, userId: string, code: string): Promise<boolean> {
  const used = await tx
    .delete(recoveryCodes)
    .where(and(eq(recoveryCodes.userId, userId), eq(recoveryCodes.hash, hashSecret(code))))
    .returning({ hash: recoveryCodes.hash });
  return used.length > 0;
}

export async function countRecoveryCodes(db: Database, userId: string): Promise<number> {
  return await db.$count(recoveryCodes, eq(recoveryCodes.userId, userId));
}

export async function deleteRecoveryCodes(tx: Database, userId: string): Promise<void> {
  await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
}
