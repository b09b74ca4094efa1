/** Main module of a worker thread: opens tokenizers of its own and reads requests that are too large for the server's thread. */
import { workerData } from 'node:worker_threads';
import { checkPattern } from '@gptj-cloud/decoding';
import { type EngineInfo, openTokenizer, openTokenizers } from '@gptj-cloud/engine';
import { createTokenizer, type TokenizerData } from '@gptj-cloud/tokenizer';
import { createParameterReader } from './generation/parameter-parser.ts';
import type { TextModel } from './generation/text-model.ts';
import { READ_JOBS } from './read-jobs.ts';
import { serveJobs } from './workers/serve-jobs.ts';

/** What `main.ts` passes to the thread. */
export interface WorkerModel {
  /** The file that has it, or the vocabulary itself. */
  readonly vocabulary: string | TokenizerData;
  readonly info: EngineInfo;
  /** The other models of the server. */
  readonly others: readonly Omit<WorkerModel, 'others'>[];
}

const { others, ...first } = workerData as WorkerModel;
const open = others.length === 0 ? openTokenizer : openTokenizers();

await serveJobs(READ_JOBS, async (stage) => {
  const read = async ({ vocabulary, info }: Omit<WorkerModel, 'others'>): Promise<TextModel> => {
    const tokenizer = typeof vocabulary === 'string' ? await open(vocabulary) : createTokenizer(vocabulary);
    const readParameters = createParameterReader(info, tokenizer, {
      checkPattern(pattern) {
        stage('prefix_allowed_tokens_fn');
        checkPattern(pattern);
        stage(null);
      },
    });
    return { info, tokenizer, readParameters };
  };
  const served = await read(first);
  const rest: TextModel[] = [];
  for (const other of others) rest.push(await read(other));
  return { ...served, others: rest };
});
