import type { TimeLimits } from '../metering/usage/admission.ts';

/** How the last run of a project was admitted. */
export interface Standing {
  readonly priority: number;
  readonly limits: TimeLimits;
}

/** Projects whose last run was admitted. */
export interface GoodStandings {
  /** Null when the last run was refused, or none is known. */
  of(projectId: string): Standing | null;
  admitted(projectId: string, standing: Standing): void;
  refused(projectId: string): void;
}

const MAX_PROJECTS = 10_000;

export function createGoodStandings(): GoodStandings {
  const standings = new Map<string, Standing>();
  return {
    of: (projectId) => standings.get(projectId) ?? null,
    admitted(projectId, standing) {
      standings.delete(projectId);
      standings.set(projectId, standing);
      if (standings.size <= MAX_PROJECTS) return;
      // The one that has been here longest.
      for (const oldest of standings.keys()) {
        standings.delete(oldest);
        return;
      }
    },
    refused: (projectId) => void standings.delete(projectId),
  };
}
