/** Main module of a worker thread for tests, and its jobs. */
import { isMainThread, workerData } from 'node:worker_threads';
import { ApiError } from '@gptj-cloud/protocol';
import { type Job, NeedsWorker } from './job.ts';
import { type ReportStage, serveJobs } from './serve-jobs.ts';

export interface TestTools {
  readonly thread: string;
  readonly stage: ReportStage;
}

export interface TestInput {
  readonly bytes: Uint8Array;
  readonly act: 'answer' | 'spin' | 'grow' | 'refuse' | 'break' | 'exit' | 'needs-worker' | 'wait';
  /** For `wait`: shared memory, until it is no longer 0. */
  readonly gate?: Int32Array;
}

export interface TestOutput {
  readonly thread: string;
  readonly bytes: Uint8Array;
}

export const ACT: Job<TestTools, TestInput, TestOutput> = {
  name: 'act',
  what: 'the test',
  size: ({ bytes }) => bytes.length,
  run({ thread, stage }, { act, bytes, gate }) {
    switch (act) {
      case 'answer':
        return { thread, bytes };
      case 'wait':
        if (gate !== undefined) Atomics.wait(gate, 0, 0);
        return { thread, bytes };
      case 'spin':
        stage('the spinning part');
        for (;;);
      case 'grow': {
        const grown: unknown[] = [];
        for (;;) grown.push(new Array(100_000).fill(grown.length));
      }
      case 'refuse':
        throw new ApiError('invalid_parameter', { reason: 'no' }, { details: { parameters: ['x'] } });
      case 'break':
        throw new TypeError('a bug');
      case 'exit':
        process.exit(3);
        break;
      case 'needs-worker':
        if (isMainThread) throw new NeedsWorker();
        return { thread, bytes };
      default:
        return act satisfies never;
    }
  },
  moved: ({ bytes }) => [bytes],
  returned: ({ bytes }) => [bytes],
};

if (!isMainThread) {
  await serveJobs([ACT], async (stage) => ({ thread: String(workerData), stage }));
}
