import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

export const ANSWERS = ['right', 'wrong'] as const;
export const DOCUMENT_ORDERS = ['worst', 'best'] as const;

/** Which documents of an evaluation the page shows. Absent: all of the first task, in their order. */
export interface EvaluationSearch {
  /** Index of the task in the report. */
  readonly task?: string | undefined;
  readonly answers?: (typeof ANSWERS)[number] | undefined;
  /** By the margin. */
  readonly order?: (typeof DOCUMENT_ORDERS)[number] | undefined;
  readonly by?: 'acc_norm' | undefined;
}

export function readEvaluationSearch(raw: RawSearch): EvaluationSearch {
  const task = textIn(raw, 'task');
  return defined({
    task: task !== undefined && /^\d{1,3}$/.test(task) ? task : undefined,
    answers: choiceIn(raw, 'answers', ANSWERS),
    order: choiceIn(raw, 'order', DOCUMENT_ORDERS),
    by: choiceIn(raw, 'by', ['acc_norm']),
  });
}
