import type { RunSummary, RunSummaryOptions } from '@gptj-cloud/sdk';
import { isByFigure, orderOf, type RunsSearch } from './runs-search.ts';

/** The filters of a list, with the moment from which on it lists runs. */
export interface RunFilter {
  readonly search: RunsSearch;
  readonly since: Date | null;
}

const RANGES_MS = { hour: 3_600_000, day: 86_400_000, '7d': 7 * 86_400_000, '30d': 30 * 86_400_000 } as const;
const STATES = { open: ['received', 'running'], complete: ['complete'], failed: ['failed'] } as const;

/** Ranges begin at a whole minute, so that one list is requested for a minute of navigation. */
export function filterOf(search: RunsSearch, now: Date): RunFilter {
  if (search.range === undefined) return { search, since: null };
  return { search, since: new Date(Math.floor((now.getTime() - RANGES_MS[search.range]) / 60_000) * 60_000) };
}

export function optionsOf({ search, since }: RunFilter): RunSummaryOptions {
  const { state, token, q } = search;
  return {
    q,
    tokenId: token,
    states: state === undefined ? undefined : STATES[state],
    createdAfter: since ?? undefined,
    order: orderOf(search),
  };
}

/** Whether the server would list the run. */
export function isListed({ search: { state, token, q, order }, since }: RunFilter, run: RunSummary): boolean {
  if (isByFigure(order) && run.endedAt === null) return false;
  if (state !== undefined && !STATES[state].some((each) => each === run.runState)) return false;
  if (token !== undefined && (token === 'session' ? run.tokenId !== null : run.tokenId !== token)) return false;
  if (since !== null && run.createdAt < since) return false;
  return q === undefined || hasText(run, q);
}

function hasText({ id, promptHead, outputHead }: RunSummary, q: string): boolean {
  const part = fold(q.trim());
  return id.includes(part) || [promptHead, outputHead].some((head) => fold(head ?? '').includes(part));
}

function fold(text: string): string {
  return text.toLowerCase().normalize('NFKC');
}
