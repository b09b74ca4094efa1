import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

/** The range, as days or from–to dates in UTC, and the dimension by which the charts are split. */
export interface UsageSearch {
  readonly range?: 'today' | '7d' | 'month' | 'custom';
  readonly from?: string;
  readonly to?: string;
  readonly by?: 'total' | 'token' | 'pipeline' | 'project';
}

export function readUsageSearch(raw: RawSearch): UsageSearch {
  return defined({
    range: choiceIn(raw, 'range', ['today', '7d', 'month', 'custom']),
    from: textIn(raw, 'from'),
    to: textIn(raw, 'to'),
    by: choiceIn(raw, 'by', ['total', 'token', 'pipeline', 'project']),
  });
}
