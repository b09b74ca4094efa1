import { z } from 'zod';

/**
 * A position in a list that is ordered by time, or a number, and id: after the row with these. It also carries the total of the first
 * page, so that the rows are counted once; in a search, the number of matches up to it. Opaque to clients.
 */
export interface PageCursor {
  /** Microseconds since 1970, the precision of the store; in a list by a number, that number. */
  readonly micros: string;
  readonly id: string;
  readonly total: number;
  /** Matches that a search still skips behind it. */
  readonly skip: number;
}

export function formatCursor({ micros, id, total, skip }: PageCursor): string {
  return `${total}.${micros}.${id}${skip === 0 ? '' : `.${skip}`}`;
}

/** Reads what `formatCursor` wrote. */
export const cursorSchema = z
  .string()
  .regex(/^\d{1,12}\.-?\d{1,17}\.\w{1,60}(\.\d{1,12})?$/, 'expected the next_cursor of an earlier page')
  .transform((text): PageCursor => {
    const [total = '', micros = '', id = '', skip = '0'] = text.split('.');
    return { total: Number(total), micros, id, skip: Number(skip) };
  });
