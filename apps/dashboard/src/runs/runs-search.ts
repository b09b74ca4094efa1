import { defined, type RawSearch, textIn } from '../ui/search-values.ts';

/** Filters of the list of runs. */
export interface RunsSearch {
  readonly state?: string;
  readonly token?: string;
  readonly range?: string;
  readonly q?: string;
}

export function readRunsSearch(raw: RawSearch): RunsSearch {
  return defined({
    state: textIn(raw, 'state'),
    token: textIn(raw, 'token'),
    range: textIn(raw, 'range'),
    q: textIn(raw, 'q'),
  });
}
