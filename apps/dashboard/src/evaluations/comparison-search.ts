import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

export const CHANGES = ['flipped', 'gained', 'lost'] as const;

/** Which two evaluations are compared, and which of their documents are shown. */
export interface ComparisonSearch {
  /** Ids of evaluations. */
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** Index of the task in the first report. Absent: the first that both have. */
  readonly task?: string | undefined;
  readonly change?: (typeof CHANGES)[number] | undefined;
  readonly by?: 'acc_norm' | undefined;
}

export function readComparisonSearch(raw: RawSearch): ComparisonSearch {
  const [before, after, task] = [textIn(raw, 'before'), textIn(raw, 'after'), textIn(raw, 'task')];
  return defined({
    before,
    after,
    task: task !== undefined && /^\d{1,3}$/.test(task) ? task : undefined,
    change: choiceIn(raw, 'change', CHANGES),
    by: choiceIn(raw, 'by', ['acc_norm']),
  });
}
