/**
 * Comparisons of evaluations wait for each other: each joins all documents of two reports in the database, or reads their
 * log-likelihoods. A project has few under way, so that its comparisons leave room for those of others, and a bounded number waits.
 */
import { ApiError } from '@gptj-cloud/protocol';

export interface ComparisonLimits {
  /** Under way at a time. */
  readonly running: number;
  readonly runningOfProject: number;
  /** Comparisons that wait for their turn. */
  readonly waiting: number;
  readonly waitingOfProject: number;
}

/** Fewer than the connections to a database, so that other requests find a free one. */
export const COMPARISON_LIMITS: ComparisonLimits = {
  running: 4,
  runningOfProject: 2,
  waiting: 32,
  waitingOfProject: 8,
};

/** A comparison of the largest tasks takes some seconds. */
const RETRY_AFTER_SECONDS = 5;

export interface ComparisonGate {
  /** Do the work when it is its turn. Throws `too_many_requests_at_once` and `server_busy`: too many wait. */
  pass<Value>(projectId: string, work: () => Promise<Value>): Promise<Value>;
}

interface Waiting {
  readonly projectId: string;
  readonly begin: () => void;
}

export function createComparisonGate(limits: ComparisonLimits): ComparisonGate {
  const running: string[] = [];
  const waiting: Waiting[] = [];
  const countOf = (projects: readonly string[], projectId: string): number =>
    projects.filter((each) => each === projectId).length;
  const mayBegin = (projectId: string): boolean =>
    running.length < limits.running && countOf(running, projectId) < limits.runningOfProject;
  const wait = (projectId: string): Promise<void> => {
    const ofProject = waiting.filter((each) => each.projectId === projectId).length;
    if (ofProject >= limits.waitingOfProject) {
      const values = { limit: limits.runningOfProject + ofProject, client: 'this project for comparisons' };
      throw new ApiError('too_many_requests_at_once', values, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    if (waiting.length >= limits.waiting) {
      throw new ApiError('server_busy', {}, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    return new Promise((resolve) => waiting.push({ projectId, begin: resolve }));
  };
  const leave = (projectId: string): void => {
    running.splice(running.indexOf(projectId), 1);
    // The first whose project may have one more: those of other projects do not wait behind it.
    const at = waiting.findIndex((each) => mayBegin(each.projectId));
    const [next] = at === -1 ? [] : waiting.splice(at, 1);
    if (next === undefined) return;
    running.push(next.projectId);
    next.begin();
  };
  return {
    async pass(projectId, work) {
      if (mayBegin(projectId)) running.push(projectId);
      else await wait(projectId);
      try {
        return await work();
      } finally {
        leave(projectId);
      }
    },
  };
}
