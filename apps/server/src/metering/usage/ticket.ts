import { z } from 'zod';

/** The meter of a generation, and the reservation that its end returns. */
export interface Meter {
  readonly projectId: string;
  readonly userId: string;
  readonly apiKeyId: string | null;
  readonly pipeline: string;
  readonly planId: string;
  /** Day (UTC) of the admission, under which it is metered. */
  readonly day: string;
  /** Hour of that day, 0 … 23, of the admission. */
  readonly hour: number;
  /** The paying account; null: the owner of the project at the time of metering. */
  readonly accountId: string | null;
  /** Number of the reservation within the account; null: the plan needs none. */
  readonly seq: number | null;
}

/** Everything that another process needs to end a generation. */
export interface Ticket {
  readonly meter: Meter;
  readonly priority: number;
}

const ticketSchema: z.ZodType<Ticket> = z.object({
  meter: z.object({
    projectId: z.string(),
    userId: z.string(),
    apiKeyId: z.string().nullable(),
    pipeline: z.string(),
    planId: z.string(),
    day: z.string(),
    // Tickets of an earlier version have none.
    hour: z.int().min(0).max(23).default(0),
    accountId: z.string().nullable(),
    seq: z.number().nullable(),
  }),
  priority: z.number(),
});

export function writeTicket(ticket: Ticket): string {
  return JSON.stringify(ticket);
}

/** Who has a generation, by its ticket; null for a ticket that this version cannot read. */
export function holderOf(text: string): Pick<Meter, 'userId' | 'apiKeyId'> | null {
  try {
    const { userId, apiKeyId } = readTicket(text).meter;
    return { userId, apiKeyId };
  } catch {
    return null;
  }
}

/** Parse a ticket from the store. The parser's error is thrown unchanged: only a bug can write an unreadable ticket. */
export function readTicket(text: string): Ticket {
  return ticketSchema.parse(JSON.parse(text));
}
