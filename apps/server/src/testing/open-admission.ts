import type { Admission, Admitted, GenerationCost } from '../usage/admission.ts';

/** An admission that lets everybody in, and remembers what it was told. */
export interface OpenAdmission extends Admission {
  readonly settled: GenerationCost[];
  readonly cancelled: string[];
}

export function createOpenAdmission(priority = 0): OpenAdmission {
  const settled: GenerationCost[] = [];
  const cancelled: string[] = [];
  const resume = (ticket: string): Admitted => ({
    priority,
    ticket,
    async settle(cost) {
      settled.push(cost);
    },
    async cancel() {
      cancelled.push(ticket);
    },
  });
  let tickets = 0;
  return { settled, cancelled, resume, admit: async () => resume(`ticket-${++tickets}`) };
}
