import { customType, timestamp } from 'drizzle-orm/pg-core';

/** A timestamp with millisecond precision, the precision of JavaScript's `Date`. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 });

/** Bytes. Select this column only where the content is needed: a file may be large. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
