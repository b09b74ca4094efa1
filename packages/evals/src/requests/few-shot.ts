/** Examples before a document, drawn as lm-evaluation-harness's default sampler draws them. */
import { EvaluationError } from '../evaluation-error.ts';
import { createPythonRandom } from '../python/python-random.ts';
import type { Task, TaskDocument } from '../tasks/task.ts';
import type { TextRequest } from './text-request.ts';

const EXAMPLE_END = '\n\n';
/** The harness's `fewshot_seed`. */
const SEED = 1234;

export interface FewShot {
  readonly shots: number;
  /** The documents of another split to draw from; null: all documents of the task's own file, `documents` among them. */
  readonly examples: readonly TaskDocument[] | null;
  /** All documents of the task's file. */
  readonly all: readonly TaskDocument[];
}

/** The requests of every document, each context after its examples. Throws `data_invalid` for too few examples. */
export function withExamples(
  task: Pick<Task, 'drawsExtraExample'>,
  documents: readonly TaskDocument[],
  { shots, examples, all }: FewShot,
): readonly (readonly TextRequest[])[] {
  if (shots === 0) return documents.map(({ requests }) => requests);
  const random = createPythonRandom(SEED);
  const pool = examples ?? all;
  const drawn = shots + (examples === null && task.drawsExtraExample ? 1 : 0);
  if (pool.length < drawn) {
    throw new EvaluationError(
      'data_invalid',
      `expected at least ${drawn} documents to draw ${shots} examples from, got ${pool.length}; lower --shots, or give --examples`,
    );
  }
  const written = pool.map(({ fields }) => JSON.stringify(fields));
  return documents.map((document) => {
    const own = JSON.stringify(document.fields);
    const text = random
      .sampleIndices(pool.length, drawn)
      .filter((at) => written[at] !== own)
      .slice(0, shots)
      .map((at) => pool[at]!.example + EXAMPLE_END)
      .join('');
    return document.requests.map(({ context, continuation }) => ({ context: text + context, continuation }));
  });
}
