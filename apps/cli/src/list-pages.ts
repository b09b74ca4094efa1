/** Lists of the API, read page after page. */
import type { Page } from '@gptj-cloud/sdk';
import { integerOption, isOn, type ParsedOptions } from './options.ts';

const MAX_PAGE = 100;
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000_000;

export interface ListedItems<Item> {
  readonly items: readonly Item[];
  /** Items in the whole list. */
  readonly total: number;
}

interface PageRequest {
  readonly skip: number;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** The items that `--limit` or `--all` request. */
export async function listItems<Item>(
  options: ParsedOptions,
  read: (request: PageRequest) => Promise<Page<Item>>,
): Promise<ListedItems<Item>> {
  const limit = isOn(options, 'all')
    ? Number.POSITIVE_INFINITY
    : (integerOption(options, 'limit', { min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT);
  const items: Item[] = [];
  let cursor: string | undefined;
  for (;;) {
    const skip = cursor === undefined ? items.length : 0;
    const page = await read({ skip, limit: Math.min(MAX_PAGE, limit - items.length), cursor });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
    // A page of a search may have no match and a next page.
    const isEnd = cursor === undefined && (page.items.length === 0 || items.length >= page.total);
    if (isEnd || items.length >= limit) return { items, total: page.total };
  }
}
