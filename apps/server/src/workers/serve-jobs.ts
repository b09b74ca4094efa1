import { type MessagePort, parentPort } from 'node:worker_threads';
import { type AnyJob, movable } from './job.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { lowerThreadPriority } from './thread-priority.ts';
import { toWireError } from './wire-error.ts';

/** Names the part of a task that is about to be executed, for the error when it takes too long. Null: none in particular. */
export type ReportStage = (what: string | null) => void;

/** Execute the tasks that the pool sends to this thread. `openTools` is called once. */
export async function serveJobs<Tools>(
  jobs: readonly AnyJob<Tools>[],
  openTools: (stage: ReportStage) => Promise<Tools>,
): Promise<void> {
  const port = requirePort();
  // What reads large requests must not delay those that serve small ones.
  lowerThreadPriority();
  const send = (message: FromWorker, moved: readonly ArrayBuffer[] = []): void => port.postMessage(message, [...moved]);
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const tools = await openTools((what) => send({ kind: 'stage', what }));
  port.on('message', ({ job: name, input }: ToWorker) => {
    const startedAt = performance.now();
    const ms = (): number => performance.now() - startedAt;
    try {
      const job = byName.get(name);
      if (job === undefined) throw new Error(`no job has the name ${name}`);
      // The input was made for the job of this name.
      const output = job.run(tools, input as never);
      send({ kind: 'done', output, ms: ms() }, movable(job.returned?.(output as never) ?? []));
    } catch (error) {
      send({ kind: 'failed', error: toWireError(error), ms: ms() });
    }
  });
  send({ kind: 'ready' });
}

function requirePort(): MessagePort {
  if (parentPort === null) throw new Error('expected to run in a worker thread');
  return parentPort;
}
