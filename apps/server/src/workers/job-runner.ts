import { chargeWork } from '../telemetry/work-meter.ts';
import { type Job, movable, NeedsWorker } from './job.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Executes jobs: small ones at once on the server's thread, all others on a worker thread. */
export interface JobRunner<Tools> {
  /** `owner`: the project that the job is executed for. Throws what the job throws and the errors of the pool. */
  run<Input, Output>(job: Job<Tools, Input, Output>, input: Input, owner: string): Promise<Output>;
}

/** Called with the time that a job of an owner took, on whichever thread. */
export type OnJobTime = (owner: string, ms: number) => void;

export interface JobRunnerOptions<Tools> {
  /** The tools of the server's thread. They throw `NeedsWorker` for what could take long. */
  readonly tools: Tools;
  readonly pool: WorkerPool;
  /** Maximum size of a job that is executed on the server's thread, in bytes. */
  readonly maxBytes: number;
  readonly onTime?: OnJobTime;
}

export function createJobRunner<Tools>({ tools, pool, maxBytes, onTime }: JobRunnerOptions<Tools>): JobRunner<Tools> {
  return {
    async run(job, input, owner) {
      if (job.size(input) <= maxBytes) {
        const startedAt = performance.now();
        try {
          return job.run(tools, input);
        } catch (error) {
          if (!(error instanceof NeedsWorker)) throw error;
        } finally {
          onTime?.(owner, performance.now() - startedAt);
        }
      }
      const task = { job: job.name, input, moved: movable(job.moved?.(input) ?? []), what: job.what, owner };
      let spentMs = 0;
      const onEnd = (ms: number): void => {
        spentMs += ms;
        onTime?.(owner, ms);
      };
      try {
        // A thread executes the job of this name, whose output it is.
        return (await pool.run(task, onEnd)) as ReturnType<typeof job.run>;
      } finally {
        // The request pays for the thread's time as for that of the server's own thread.
        chargeWork(spentMs);
      }
    },
  };
}

/** Executes every job on the calling thread: for tests and for servers whose model no thread can open. */
export function createDirectRunner<Tools>(tools: Tools): JobRunner<Tools> {
  return { run: async (job, input) => job.run(tools, input) };
}
