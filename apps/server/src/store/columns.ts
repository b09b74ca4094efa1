import { timestamp } from 'drizzle-orm/pg-core';

/** A moment to the millisecond, as JavaScript's dates are. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 });
