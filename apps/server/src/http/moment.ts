import { z } from 'zod';

/** A time in a query string; a `Date` after parsing. */
export const MOMENT: z.ZodType<Date | undefined> = z
  .string()
  .transform((value, context) => {
    const moment = parseMoment(value);
    if (moment !== null) return moment;
    context.addIssue('expected epoch seconds or ISO 8601');
    return z.NEVER;
  })
  .optional();

/** Epoch seconds or ISO 8601, between 1970 and 3000; null for anything else. */
function parseMoment(value: string): Date | null {
  const isNumber = /^\d{1,11}(\.\d{1,6})?$/.test(value);
  const moment = new Date(isNumber ? Number(value) * 1000 : /^\d{4}-\d\d-\d\d/.test(value) ? value : Number.NaN);
  const year = moment.getUTCFullYear();
  return year >= 1970 && year < 3000 ? moment : null;
}
