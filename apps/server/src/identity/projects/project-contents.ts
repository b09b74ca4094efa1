import type { Database } from '../../store/db.ts';

/** Counts of a project's contents. */
export interface ProjectContents {
  readonly runs: number;
  /** Of the runs, those that have not ended. */
  readonly openRuns: number;
  readonly data: number;
}

/** Port to the data that other features store for projects and users. `compose.ts` implements it, so that identity imports none of them. */
export interface ContentsPort {
  /** The counts of each of these projects. */
  countInProjects(db: Database, projectIds: readonly string[]): Promise<ReadonlyMap<string, ProjectContents>>;
  /** Delete the runs, data and files of these projects. */
  deleteInProjects(tx: Database, projectIds: readonly string[]): Promise<void>;
  /** Delete the webhooks of these projects. Returns how many there were. */
  deleteWebhooks(tx: Database, projectIds: readonly string[]): Promise<number>;
  /** Whether a payment provider charges the user. */
  hasActiveSubscription(tx: Database, userId: string): Promise<boolean>;
}
