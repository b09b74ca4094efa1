/** Counts of replays in windows of one hour, by webhook and by project. */
import { eq, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { webhookProjects, webhooks } from './webhook-tables.ts';

const WINDOW_S = 3600;

export interface ReplayCount {
  /** Replays in the window, this one included. */
  readonly replays: number;
  /** Until the next window. */
  readonly waitS: number;
}

/** Count a replay of a webhook. For a transaction, which fails when the count is above its limit. */
export async function countWebhookReplay(tx: Database, webhookId: string, now: Date): Promise<ReplayCount> {
  const { set, returning } = nextWindow(webhooks, now);
  const rows = await tx.update(webhooks).set(set).where(eq(webhooks.id, webhookId)).returning(returning);
  return rows[0] ?? { replays: 0, waitS: 0 };
}

/** The same for all webhooks of a project, those deleted since included. */
export async function countProjectReplay(tx: Database, projectId: string, now: Date): Promise<ReplayCount> {
  const { set, returning } = nextWindow(webhookProjects, now);
  const rows = await tx
    .insert(webhookProjects)
    .values({ projectId, replays: 1, replaysSince: now })
    .onConflictDoUpdate({ target: webhookProjects.projectId, set })
    .returning(returning);
  return rows[0] ?? { replays: 0, waitS: 0 };
}

/** A row after one more replay. A window in the future, of a clock that was wrong, counts as over. */
function nextWindow({ replays, replaysSince }: typeof webhooks | typeof webhookProjects, now: Date) {
  const at = sql`${now.toISOString()}::timestamptz`;
  const isOpen = sql`${replaysSince} > ${at} - make_interval(secs => ${WINDOW_S}) AND ${replaysSince} <= ${at}`;
  return {
    set: {
      replays: sql`CASE WHEN ${isOpen} THEN ${replays} + 1 ELSE 1 END`,
      replaysSince: sql`CASE WHEN ${isOpen} THEN ${replaysSince} ELSE ${at} END`,
    },
    returning: {
      replays: sql<number>`${replays}`.mapWith(Number),
      waitS: sql<number>`ceil(extract(epoch FROM ${replaysSince} - ${at}) + ${WINDOW_S}::int)`.mapWith(Number),
    },
  };
}
