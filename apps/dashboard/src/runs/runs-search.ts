import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

const RUN_GROUPS = ['open', 'complete', 'failed'] as const;
const RUN_RANGES = ['hour', 'day', '7d', '30d'] as const;

/** Filters of the list of runs. Absent: all. */
export interface RunsSearch {
  readonly state?: (typeof RUN_GROUPS)[number];
  /** The id of an API token, or `session`. */
  readonly token?: string;
  readonly range?: (typeof RUN_RANGES)[number];
  readonly q?: string;
}

export function readRunsSearch(raw: RawSearch): RunsSearch {
  return defined({
    state: choiceIn(raw, 'state', RUN_GROUPS),
    token: textIn(raw, 'token'),
    range: choiceIn(raw, 'range', RUN_RANGES),
    q: textIn(raw, 'q')?.slice(0, 160),
  });
}
