import { z } from 'zod';

/**
 * One page of a list: `data` holds up to `limit` items after the first `skip` of `total`. `next_cursor` names the next page;
 * it is absent for lists that fit one page, and null on the last page. A page may be shorter than `limit` before the last one,
 * and in a search it may be empty.
 */
export function paginatedSchema<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{
  skip: z.ZodNumber;
  limit: z.ZodNumber;
  total: z.ZodNumber;
  data: z.ZodArray<Item>;
  next_cursor: z.ZodOptional<z.ZodNullable<z.ZodString>>;
}> {
  return z.object({
    skip: z.number(),
    limit: z.number(),
    total: z.number(),
    data: z.array(item),
    next_cursor: z.string().nullish(),
  });
}

/** See {@link paginatedSchema}. */
export interface Paginated<Item> {
  readonly skip: number;
  readonly limit: number;
  readonly total: number;
  readonly data: readonly Item[];
  readonly next_cursor?: string | null;
}
