import type { Admission, GenerationCost, TimeLimits } from '../metering/usage/admission.ts';

/** An admission without limits that records the ends of what it admitted. */
export interface OpenAdmission extends Admission {
  readonly settled: GenerationCost[];
  readonly cancelled: string[];
}

export function createOpenAdmission(
  priority = 0,
  limits: TimeLimits = { generationMs: null, runMs: null },
): OpenAdmission {
  const settled: GenerationCost[] = [];
  const cancelled: string[] = [];
  let tickets = 0;
  const end = (ticket: string, cost: GenerationCost | null): void => {
    if (cost === null) cancelled.push(ticket);
    else settled.push(cost);
  };
  return {
    settled,
    cancelled,
    async admit() {
      const ticket = `ticket-${++tickets}`;
      return {
        priority,
        limits,
        isCounted: true,
        settle: async (cost) => end(ticket, cost),
        cancel: async () => end(ticket, null),
      };
    },
    admitRuns: async (_tx, runs) => runs.map(() => ({ priority, ticket: `ticket-${++tickets}` })),
    price: () => null,
    timeLimits: () => limits,
    async endRuns(_tx, ends) {
      for (const { ticket, cost } of ends) end(ticket, cost);
    },
  };
}
