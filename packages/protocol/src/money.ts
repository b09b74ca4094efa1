import { z } from 'zod';

/** An amount of money: decimal text with at least two digits after the point, and the ISO 4217 code of its currency. */
export const moneySchema = z.object({ amount: z.string(), currency: z.string() });
export type Money = z.infer<typeof moneySchema>;
