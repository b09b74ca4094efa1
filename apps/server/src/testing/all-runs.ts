import type { RunFilter } from '../runs/run-list-store.ts';

/** Every run of a project. */
export function allRuns(projectId: string): RunFilter {
  return {
    projectId,
    pipelineId: null,
    states: null,
    tokenId: null,
    createdAfter: null,
    createdBefore: null,
    text: null,
  };
}
