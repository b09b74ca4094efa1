import { z } from 'zod';

/**
 * A position in a list that is ordered by time and id: after the row with these. It also carries the total of the first
 * page, so that the rows are counted once. Opaque to clients.
 */
export interface PageCursor {
  /** Microseconds since 1970, the precision of the store. */
  readonly micros: string;
  readonly id: string;
  readonly total: number;
}

export function formatCursor({ micros, id, total }: PageCursor): string {
  return `${total}.${micros}.${id}`;
}

/** Reads what `formatCursor` wrote. */
export const cursorSchema = z
  .string()
  .regex(/^\d{1,12}\.-?\d{1,17}\.\w{1,60}$/, 'expected the next_cursor of an earlier page')
  .transform((text): PageCursor => {
    const [total = '', micros = '', id = ''] = text.split('.');
    return { total: Number(total), micros, id };
  });
