import type { RunChange, RunSummary } from '@gptj-cloud/sdk';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useRunChanges } from '../api/run-changes.ts';
import { problemOf } from '../ui/problem.ts';
import { toast } from '../ui/toasts.tsx';
import { filterOf, isListed, optionsOf, type RunFilter } from './run-filter.ts';
import {
  allRuns,
  missingRuns,
  type RunPages,
  totalOf,
  withAdded,
  withAddedLast,
  withChanged,
  withoutRuns,
} from './run-pages.ts';
import { isByFigure, orderOf, type RunsSearch } from './runs-search.ts';

const PAGE = 100;

/** New runs that are not in the list yet. */
interface Waiting {
  readonly filter: RunFilter;
  readonly runs: readonly RunSummary[];
}

/**
 * The runs of a filter, page after page, kept up to date. New runs are added at the top at once, unless `isHeld()`: then
 * they wait, so that no row moves below the pointer. With the oldest runs first they are added at the end.
 */
export function useRunList(search: RunsSearch, isHeld: () => boolean) {
  const queries = useQueryClient();
  const { state, token, range, q } = search;
  const order = orderOf(search);
  const filter = useMemo(
    () =>
      filterOf(
        {
          ...(state && { state }),
          ...(token && { token }),
          ...(range && { range }),
          ...(q && { q }),
          ...(order && { order }),
        },
        new Date(),
      ),
    [state, token, range, q, order],
  );
  const queryKey = [...keys.runs, 'list', filter];
  const [waiting, setWaiting] = useState<Waiting>({ filter, runs: [] });
  // Several changes may come before the next rendering.
  const latest = useRef(waiting);
  const wait = (runs: readonly RunSummary[]): void => {
    latest.current = { filter, runs };
    setWaiting(latest.current);
  };
  const heldOf = (present: Waiting): readonly RunSummary[] => (present.filter === filter ? present.runs : []);
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => readPage(filter, pageParam, signal),
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    // The stream keeps it up to date.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnMount: 'always',
    refetchOnWindowFocus: false,
  });
  const update = (change: (list: RunPages) => RunPages): void => {
    queries.setQueryData<RunPages>(queryKey, (list) => list && change(list));
  };
  const add = (runs: readonly RunSummary[]): void => {
    const list = queries.getQueryData<RunPages>(queryKey);
    if (list === undefined) return;
    const known = runs.filter((run) => withChanged(list, run) !== null);
    if (known.length > 0) update((present) => withAdded(present, known));
    const fresh = runs.filter((run) => !known.includes(run) && isListed(filter, run));
    if (fresh.length === 0) return;
    if (order === 'oldest') {
      update((present) => withAddedLast(present, fresh));
      return;
    }
    const held = heldOf(latest.current);
    // In another order a new run may belong anywhere: it waits until the list is read again.
    if (!isHeld() && held.length === 0 && order === undefined) update((present) => withAdded(present, fresh));
    else wait([...fresh, ...held.filter(({ id }) => !fresh.some((run) => run.id === id))]);
  };
  const remove = (ids: ReadonlySet<string>): void => {
    if (ids.size === 0) return;
    update((list) => withoutRuns(list, ids));
    const held = heldOf(latest.current);
    if (held.some(({ id }) => ids.has(id))) wait(held.filter(({ id }) => !ids.has(id)));
  };
  const resync = async (): Promise<void> => {
    const list = queries.getQueryData<RunPages>(queryKey);
    if (list === undefined) return;
    // Missed runs are at the end.
    if (order === 'oldest') return await queries.invalidateQueries({ queryKey });
    const page = await readPage(filter, undefined);
    const known = allRuns(list);
    const knows = new Set(known.map(({ id }) => id));
    if (isByFigure(order)) return add(page.items);
    const hasGap = page.nextCursor !== null && !page.items.some(({ id }) => knows.has(id));
    if (hasGap) await queries.resetQueries({ queryKey });
    else {
      remove(missingRuns(known, page));
      add(page.items);
    }
  };
  const isLive = useRunChanges((change: RunChange) => {
    if (change.type === 'run') add([change.run]);
    else if (change.type === 'deleted') remove(new Set([change.id]));
    // A failure shows by the bar of the lost connection; the stream begins again with `resync`.
    else resync().catch(() => undefined);
  });
  return {
    query,
    runs: useMemo(() => (query.data === undefined ? [] : allRuns(query.data)), [query.data]),
    total: query.data === undefined ? 0 : totalOf(query.data),
    filter,
    isLive,
    /** New runs that wait for `showHeld`. */
    held: heldOf(waiting).length,
    showHeld(): void {
      const held = heldOf(latest.current);
      if (order === undefined) update((list) => withAdded(list, held));
      else void queries.resetQueries({ queryKey });
      wait([]);
    },
    remove,
    cancel(id: string): void {
      cloud()
        .cancelRun(id)
        .then(
          () => toast('The run was cancelled.'),
          (error: unknown) => toast(problemOf(error).message, { tone: 'bad' }),
        );
    },
  };
}

/** A page with runs, or the end of the list: pages of a search may have no match and go on. */
async function readPage(filter: RunFilter, cursor: string | undefined, signal?: AbortSignal) {
  for (let from = cursor; ; ) {
    const page = await cloud().runs.summaries({ ...optionsOf(filter), limit: PAGE, cursor: from, signal });
    if (page.items.length > 0 || page.nextCursor === null) return page;
    from = page.nextCursor;
  }
}
