import { z } from 'zod';

const resultSchema = z.object({ rows: z.array(z.unknown()) });

/** Rows that a raw statement returned, whichever driver ran it. */
export function returnedRows<Row>(result: unknown, row: z.ZodType<Row>): readonly Row[] {
  return resultSchema.parse(result).rows.map((each) => row.parse(each));
}
