import { z } from 'zod';

/**
 * A time: epoch seconds, with a fraction. Pipeline Cloud's shared schemas encode dates this way, and every client
 * version reads it (they take ISO 8601 text too).
 */
export const timestampSchema = z.number();

/** Epoch seconds, to the millisecond, of a date. */
export function toTimestamp(date: Date): number {
  return date.getTime() / 1000;
}
