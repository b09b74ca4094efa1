/** Main module of a worker thread: opens a tokenizer of its own and reads requests that are too large for the server's thread. */
import { workerData } from 'node:worker_threads';
import { checkPattern } from '@gptj-cloud/decoding';
import { type EngineInfo, openTokenizer } from '@gptj-cloud/engine';
import { createParameterReader } from './generation/parameter-parser.ts';
import { READ_JOBS } from './read-jobs.ts';
import { serveJobs } from './workers/serve-jobs.ts';

/** What `main.ts` passes to the thread. */
export interface WorkerModel {
  readonly modelPath: string;
  readonly info: EngineInfo;
}

const { modelPath, info } = workerData as WorkerModel;

await serveJobs(READ_JOBS, async (stage) => {
  const tokenizer = await openTokenizer(modelPath);
  const readParameters = createParameterReader(info, tokenizer, {
    checkPattern(pattern) {
      stage('prefix_allowed_tokens_fn');
      checkPattern(pattern);
      stage(null);
    },
  });
  return { info, tokenizer, readParameters };
});
