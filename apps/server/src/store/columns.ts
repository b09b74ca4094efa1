import { customType, timestamp } from 'drizzle-orm/pg-core';

/** A moment to the millisecond, as JavaScript's dates are. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 });

/** Bytes; of a large file only where they are asked for. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
