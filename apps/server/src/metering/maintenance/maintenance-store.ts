import type { Database } from '../../store/db.ts';
import { maintenance } from './maintenance-tables.ts';

/** New runs are refused. */
export interface MaintenanceNotice {
  /** A sentence of the operator. */
  readonly message: string;
  readonly retryAfterSeconds: number;
  readonly since: Date;
}

export async function findMaintenance(db: Database): Promise<MaintenanceNotice | null> {
  const [row] = await db.select().from(maintenance);
  if (row === undefined) return null;
  const { message, retryAfterSeconds, since } = row;
  return { message, retryAfterSeconds, since };
}

/** Null: end it. */
export async function saveMaintenance(tx: Database, notice: MaintenanceNotice | null): Promise<void> {
  if (notice === null) {
    await tx.delete(maintenance);
    return;
  }
  const { message, retryAfterSeconds } = notice;
  await tx
    .insert(maintenance)
    .values(notice)
    .onConflictDoUpdate({ target: maintenance.onlyRow, set: { message, retryAfterSeconds } });
}
