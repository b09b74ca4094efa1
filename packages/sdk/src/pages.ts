/** Lists in pages, read page by page or as one sequence of items. */
import type { Page } from './fields.ts';
import type { ListOptions } from './options.ts';

/**
 * The first page of a list as a promise, and all items of the list, page after page, as an iterable:
 *
 * ```ts
 * const page = await api.listRuns();
 * for await (const run of api.listRuns({ limit: 100 })) console.log(run.id);
 * ```
 *
 * `limit` is the number of items of one request. The first page is requested at once, every other one when it is needed.
 */
export interface PagePromise<Item> extends Promise<Page<Item>>, AsyncIterable<Item> {}

/** A list whose pages name the next one. `load` gets the page of its options. */
export function pagesOf<Item, Options extends Omit<ListOptions, 'order'>>(
  options: Options,
  load: (options: Options) => Promise<Page<Item>>,
): PagePromise<Item> {
  return withItems(options, load, ({ nextCursor }) => (nextCursor === null ? null : { skip: 0, cursor: nextCursor }));
}

/** A list without cursors: the next page begins after the items so far. */
export function pagesBySkip<Item, Options extends Pick<ListOptions, 'skip'>>(
  options: Options,
  load: (options: Options) => Promise<Page<Item>>,
): PagePromise<Item> {
  return withItems(options, load, ({ skip, items, total }) => {
    const end = skip + items.length;
    return items.length === 0 || end >= total ? null : { skip: end };
  });
}

function withItems<Item, Options>(
  options: Options,
  load: (options: Options) => Promise<Page<Item>>,
  nextOf: (page: Page<Item>) => Pick<ListOptions, 'skip' | 'cursor'> | null,
): PagePromise<Item> {
  const first = load(options);
  return Object.assign(first, {
    async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
      let page = await first;
      for (;;) {
        yield* page.items;
        const next = nextOf(page);
        if (next === null) return;
        page = await load({ ...options, ...next });
      }
    },
  });
}
