import { customType, timestamp } from 'drizzle-orm/pg-core';

/** A timestamp; read and written as JavaScript's `Date`, which has milliseconds. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/** Bytes. Select this column only where the content is needed: a file may be large. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
