import { z } from 'zod';

/** Where a generation is metered, and which reservation it ends. */
export interface Meter {
  readonly projectId: string;
  readonly userId: string;
  readonly apiKeyId: string | null;
  readonly pipeline: string;
  readonly planId: string;
  /** Day (UTC) it was let in; it counts there. */
  readonly day: string;
  /** Who pays; null: the owner of the project when it is metered. */
  readonly accountId: string | null;
  /** Number of the reservation within the account; null: the plan needs none. */
  readonly seq: number | null;
}

/** All that is needed to end a generation from another process. */
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
    accountId: z.string().nullable(),
    seq: z.number().nullable(),
  }),
  priority: z.number(),
});

export function writeTicket(ticket: Ticket): string {
  return JSON.stringify(ticket);
}

/** Tickets come from our own store; one that cannot be read is a fault of ours, thrown as it comes. */
export function readTicket(text: string): Ticket {
  return ticketSchema.parse(JSON.parse(text));
}
