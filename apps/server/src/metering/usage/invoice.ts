import type { InvoiceLine, InvoicePreview } from '@gptj-cloud/protocol';
import type { Plan } from '../plans/plan.ts';
import type { PlanUsage } from './usage-store.ts';

export interface InvoiceOptions {
  /** `YYYY-MM`. */
  readonly month: string;
  readonly userId: string;
  readonly currency: string;
  /** The account's present plan: its monthly price is the base. */
  readonly plan: Plan;
  /** Whether the account existed in that month: only then the monthly price is due. */
  readonly isMember: boolean;
  /** The plan with an id, for the usage under it. */
  readonly planOf: (id: string) => Plan;
  readonly usage: readonly PlanUsage[];
}

/** Prices are exact to a billionth. */
const NANO = 1_000_000_000n;
const TOKENS_PER_UNIT = 1000n;
const MS_PER_HOUR = 3_600_000n;

/**
 * Preview of a month's invoice: the present plan's monthly price, and usage at the prices of the plan in force at the
 * time. What was computed is priced: the prompt at the price of prompt tokens, every other computed token (beams,
 * candidates, negative prompts, drafts) at that of generated ones. Free items have no line. Amounts are hundredths, each
 * line rounded half up.
 */
export function invoicePreview(options: InvoiceOptions): InvoicePreview {
  const { month, userId, currency, plan } = options;
  const lines: { readonly line: InvoiceLine; readonly cents: bigint }[] = [];
  const add = (line: Omit<InvoiceLine, 'amount'>, unit: bigint): void => {
    const cents = priced(BigInt(line.quantity), line.price, unit);
    if (cents > 0n) lines.push({ line: { ...line, amount: decimal(cents) }, cents });
  };
  const months = options.isMember ? 1 : 0;
  add({ description: `${plan.name}: monthly`, quantity: months, unit: 'month', price: plan.prices.monthly }, 1n);
  for (const used of options.usage) {
    const { name, prices } = options.planOf(used.planId);
    add(
      {
        description: `${name}: prompt tokens, per 1,000`,
        quantity: used.prompt_tokens,
        unit: 'token',
        price: prices.perThousandPromptTokens,
      },
      TOKENS_PER_UNIT,
    );
    add(
      {
        description: `${name}: computed tokens beyond the prompt, per 1,000`,
        quantity: used.computed_tokens - used.prompt_tokens,
        unit: 'token',
        price: prices.perThousandGeneratedTokens,
      },
      TOKENS_PER_UNIT,
    );
    add(
      {
        description: `${name}: compute, per hour, counted in milliseconds`,
        quantity: used.compute_ms,
        unit: 'ms',
        price: prices.perComputeHour,
      },
      MS_PER_HOUR,
    );
  }
  const total = lines.reduce((sum, { cents }) => sum + cents, 0n);
  return {
    month,
    user_id: userId,
    plan_id: plan.id,
    currency,
    lines: lines.map(({ line }) => line),
    total: decimal(total),
  };
}

/** The price in hundredths of `quantity / unit` items at `price` each, rounded half up. */
function priced(quantity: bigint, price: number, unit: bigint): bigint {
  const nano = BigInt(Math.round(price * Number(NANO)));
  const divisor = unit * (NANO / 100n);
  return (2n * quantity * nano + divisor) / (2n * divisor);
}

function decimal(cents: bigint): string {
  return `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
}
