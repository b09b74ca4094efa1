import { queuesOf } from './run-claim-store.ts';
import type { RunGate } from './run-gate.ts';

/** Which queue a run waits in. */
export interface QueuedRun {
  readonly pipelineId: string;
  /** What its engine must have; null: nothing that not every engine has. */
  readonly needs: string | null;
}

/** Which queues this process takes runs of. */
export interface QueueChoice {
  /** Whether a run may begin here without waiting. */
  mayBegin(run: QueuedRun): boolean;
  /** Null: of any pipeline. */
  queuesOf(pipelines: readonly string[] | null): readonly string[] | null;
}

/** @param capabilities what the engines of this process have of what runs may need */
export function createQueueChoice(gate: Pick<RunGate, 'isOpen'>, capabilities: () => readonly string[]): QueueChoice {
  return {
    mayBegin: ({ pipelineId, needs }) => gate.isOpen(pipelineId) && (needs === null || capabilities().includes(needs)),
    queuesOf: (pipelines) => (pipelines === null ? null : queuesOf(pipelines, capabilities())),
  };
}
