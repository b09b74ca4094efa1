/** The loaded pages of a list of runs, newest first unless named otherwise, changed by what the stream reports. */
import type { Page, RunSummary } from '@gptj-cloud/sdk';

export interface RunPages {
  readonly pages: readonly Page<RunSummary>[];
  readonly pageParams: readonly unknown[];
}

export function allRuns({ pages }: RunPages): readonly RunSummary[] {
  return pages.flatMap(({ items }) => items);
}

/** The pages with a run in its new state; null when they do not have it. */
export function withChanged(list: RunPages, run: RunSummary): RunPages | null {
  let isFound = false;
  const pages = list.pages.map((page) => {
    const at = page.items.findIndex(({ id }) => id === run.id);
    if (at === -1) return page;
    isFound = true;
    return { ...page, items: page.items.with(at, newer(page.items[at], run)) };
  });
  return isFound ? { ...list, pages } : null;
}

/** The pages with further runs at the beginning, newest first. Those that are there are changed in place. */
export function withAdded(list: RunPages, runs: readonly RunSummary[]): RunPages {
  const { changed, added } = withKnown(list, runs);
  const [first, ...rest] = changed.pages;
  if (first === undefined || added.length === 0) return changed;
  const items = [...added, ...first.items].sort(newestFirst);
  return { ...changed, pages: [{ ...first, total: first.total + added.length, items }, ...rest] };
}

/**
 * The same for pages with the oldest runs first: further runs belong at the end, where pages that are not loaded yet will
 * bring them.
 */
export function withAddedLast(list: RunPages, runs: readonly RunSummary[]): RunPages {
  const { changed, added } = withKnown(list, runs);
  const last = changed.pages.at(-1);
  if (last === undefined || added.length === 0) return changed;
  const items = last.nextCursor === null ? [...last.items, ...added].sort((a, b) => newestFirst(b, a)) : last.items;
  const total = totalOf(changed) + added.length;
  return { ...changed, pages: changed.pages.with(-1, { ...last, total, items }) };
}

/** Runs of the list that the server knows of. A search counts further with every page. */
export function totalOf({ pages }: RunPages): number {
  return Math.max(0, ...pages.map(({ total }) => total));
}

export function withoutRuns(list: RunPages, ids: ReadonlySet<string>): RunPages {
  const removed = allRuns(list).filter(({ id }) => ids.has(id)).length;
  const pages = list.pages.map((page) => ({
    ...page,
    total: Math.max(0, page.total - removed),
    items: page.items.filter(({ id }) => !ids.has(id)),
  }));
  return { ...list, pages };
}

/**
 * The ids of known runs that a new first page would have, and does not: they were deleted. Runs below its end may be there.
 */
export function missingRuns(known: readonly RunSummary[], page: Page<RunSummary>): ReadonlySet<string> {
  const listed = new Set(page.items.map(({ id }) => id));
  const last = page.nextCursor === null ? undefined : page.items.at(-1);
  const isAbove = (run: RunSummary): boolean => last === undefined || newestFirst(run, last) < 0;
  return new Set(known.filter((run) => !listed.has(run.id) && isAbove(run)).map(({ id }) => id));
}

/** The pages with those runs changed that they have, and the others. */
function withKnown(
  list: RunPages,
  runs: readonly RunSummary[],
): { readonly changed: RunPages; readonly added: readonly RunSummary[] } {
  let changed = list;
  const added: RunSummary[] = [];
  for (const run of runs) {
    const found = withChanged(changed, run);
    if (found === null) added.push(run);
    else changed = found;
  }
  return { changed, added };
}

/** As the server lists them: runs of the same millisecond by their ids. */
function newestFirst(a: RunSummary, b: RunSummary): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1);
}

/** Two replies may cross: a run that has ended does not begin again. */
function newer(known: RunSummary | undefined, run: RunSummary): RunSummary {
  return known !== undefined && known.endedAt !== null && run.endedAt === null ? known : run;
}
