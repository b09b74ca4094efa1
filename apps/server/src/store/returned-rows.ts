import { z } from 'zod';

const resultSchema = z.object({ rows: z.array(z.unknown()) });

/** The validated rows of a raw statement, from either driver. */
export function returnedRows<Row>(result: unknown, row: z.ZodType<Row>): readonly Row[] {
  return resultSchema.parse(result).rows.map((each) => row.parse(each));
}
