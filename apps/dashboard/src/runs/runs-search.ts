import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

const RUN_GROUPS = ['open', 'complete', 'failed'] as const;
const RUN_RANGES = ['hour', 'day', '7d', '30d'] as const;

/** Orders other than newest first. All but `oldest` go by a figure that ended runs alone have, and list these. */
export const RUN_ORDERS = ['oldest', 'slowest', 'fastest', 'largest', 'smallest'] as const;
export type RunOrder = (typeof RUN_ORDERS)[number];

/** Filters and order of the list of runs. Absent: all, and newest first. */
export interface RunsSearch {
  readonly state?: (typeof RUN_GROUPS)[number];
  /** The id of an API token, or `session`. */
  readonly token?: string;
  readonly range?: (typeof RUN_RANGES)[number];
  readonly q?: string;
  readonly order?: RunOrder;
}

/** The order that a list has: a search goes by time. Undefined: newest first. */
export function orderOf({ q, order }: RunsSearch): RunOrder | undefined {
  return q === undefined || order === 'oldest' ? order : undefined;
}

/** Whether a list in this order has ended runs alone. */
export function isByFigure(order: RunOrder | undefined): boolean {
  return order !== undefined && order !== 'oldest';
}

export function readRunsSearch(raw: RawSearch): RunsSearch {
  return defined({
    state: choiceIn(raw, 'state', RUN_GROUPS),
    token: textIn(raw, 'token'),
    range: choiceIn(raw, 'range', RUN_RANGES),
    q: textIn(raw, 'q')?.slice(0, 160),
    order: choiceIn(raw, 'order', RUN_ORDERS),
  });
}
