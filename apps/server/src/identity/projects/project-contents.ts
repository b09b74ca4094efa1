import type { Database } from '../../store/db.ts';

/** What a project holds. */
export interface ProjectContents {
  readonly runs: number;
  /** Of the runs, those that have not ended. */
  readonly openRuns: number;
  readonly data: number;
}

/** Port to what other features store for projects and users. Identity imports none of them; the composition fills it. */
export interface ContentsPort {
  /** What each of these projects holds. */
  countInProjects(db: Database, projectIds: readonly string[]): Promise<ReadonlyMap<string, ProjectContents>>;
  /** Delete the runs, data and files of these projects. */
  deleteInProjects(tx: Database, projectIds: readonly string[]): Promise<void>;
  /** Whether a payment provider charges the user. */
  hasActiveSubscription(tx: Database, userId: string): Promise<boolean>;
}
