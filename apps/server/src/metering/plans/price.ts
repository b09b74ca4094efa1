import type { Money } from '@gptj-cloud/protocol';
import type { PlanBook } from './plan-book.ts';

/** What a generation used. */
export interface PricedCost {
  readonly promptTokens: number;
  readonly computedTokens: number;
  readonly computeMs: number;
}

/** Prices are exact to a billionth. */
const NANO = 1_000_000_000n;
const TOKENS_PER_UNIT = 1000n;
const MS_PER_HOUR = 3_600_000n;

/**
 * What a generation amounts to at the prices of a plan, as an invoice counts it: the prompt at the price of prompt tokens,
 * every other computed token at that of generated ones, and the time. Exact to a billionth, where an invoice rounds the
 * sum of a month to hundredths.
 */
export function priceOf(plans: PlanBook, planId: string, cost: PricedCost): Money {
  const { prices } = plans.planOf({ planId });
  const tokens = Math.max(0, cost.computedTokens - cost.promptTokens);
  const nano =
    amount(cost.promptTokens, prices.perThousandPromptTokens, TOKENS_PER_UNIT) +
    amount(tokens, prices.perThousandGeneratedTokens, TOKENS_PER_UNIT) +
    amount(Math.round(cost.computeMs), prices.perComputeHour, MS_PER_HOUR);
  return { amount: decimal(nano), currency: plans.currency };
}

/** The billionths of `quantity / unit` items at `price` each, rounded half up. */
function amount(quantity: number, price: number, unit: bigint): bigint {
  const nano = BigInt(quantity) * BigInt(Math.round(price * Number(NANO)));
  return (2n * nano + unit) / (2n * unit);
}

/** At least two digits after the point, and as many as are not 0. */
function decimal(nano: bigint): string {
  const fraction = String(nano % NANO).padStart(9, '0');
  let digits = fraction.length;
  while (digits > 2 && fraction[digits - 1] === '0') digits--;
  return `${nano / NANO}.${fraction.slice(0, digits)}`;
}
