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
  task: Pick<Task, 'leavesOutDocument'>,
  documents: readonly TaskDocument[],
  { shots, examples, all }: FewShot,
): readonly (readonly TextRequest[])[] {
  if (shots === 0) return documents.map(({ requests }) => requests);
  const random = createPythonRandom(SEED);
  const pool = examples ?? all;
  const leavesOut = examples === null ? task.leavesOutDocument.own : task.leavesOutDocument.other;
  const drawn = shots + (leavesOut ? 1 : 0);
  checkPool(pool.length, drawn, shots);
  const written = leavesOut ? pool.map(({ fields }) => JSON.stringify(fields)) : [];
  const draw = (document: TaskDocument): readonly number[] => {
    const indices = random.sampleIndices(pool.length, drawn);
    if (!leavesOut) return indices;
    const own = JSON.stringify(document.fields);
    const kept = indices.filter((at) => written[at] !== own).slice(0, shots);
    if (kept.length === shots) return kept;
    // More than one copy of the document was drawn.
    const others = [...written.keys()].filter((at) => written[at] !== own);
    checkPool(others.length, shots, shots);
    return random.sampleIndices(others.length, shots).map((at) => others[at]!);
  };
  return documents.map((document) => {
    const text = draw(document)
      .map((at) => pool[at]!.example + EXAMPLE_END)
      .join('');
    return document.requests.map(({ context, continuation }) => ({ context: text + context, continuation }));
  });
}

function checkPool(size: number, needed: number, shots: number): void {
  if (size >= needed) return;
  throw new EvaluationError(
    'data_invalid',
    `expected at least ${needed} documents to draw ${shots} examples from, got ${size}; lower --shots, or give --examples`,
  );
}
