import { z } from 'zod';

/** One page of a list: `data` holds up to `limit` items after the first `skip` of `total`. */
export function paginatedSchema<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ skip: z.ZodNumber; limit: z.ZodNumber; total: z.ZodNumber; data: z.ZodArray<Item> }> {
  return z.object({ skip: z.number(), limit: z.number(), total: z.number(), data: z.array(item) });
}

/** See {@link paginatedSchema}. */
export interface Paginated<Item> {
  readonly skip: number;
  readonly limit: number;
  readonly total: number;
  readonly data: readonly Item[];
}
