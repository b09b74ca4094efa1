/** The state, time and cost of a run as every page shows them. */
import type { Money, RunSummary } from '@gptj-cloud/sdk';
import { isCancelled } from './cancelled.ts';
import { formatDigits, formatDuration, formatMoney } from './formats.ts';
import { StateBadge } from './state-badge.tsx';

type Facts = Pick<RunSummary, 'runState' | 'createdAt' | 'endedAt' | 'timings' | 'usage'>;

export function RunBadge({ state, exception }: { readonly state: string; readonly exception: string | null }) {
  return <StateBadge state={state === 'received' ? 'waiting' : isCancelled(exception) ? 'cancelled' : state} />;
}

/** From the acceptance to the end; until now for one that has not ended. */
export function formatRunTime({ createdAt, endedAt }: Facts, now: Date): string {
  return formatDuration(Math.max(0, (endedAt ?? now).getTime() - createdAt.getTime()));
}

/** Tokens a second of computing; null where it is unknown. */
function tokensPerSecond({ usage, timings }: Facts): number | null {
  if (usage === null || timings.computeMs === null || timings.computeMs === 0) return null;
  return usage.generatedTokens / (timings.computeMs / 1000);
}

export function formatSpeed(facts: Facts): string {
  const speed = tokensPerSecond(facts);
  return speed === null ? '–' : formatDigits(speed, 3);
}

export function formatCost(cost: Money | null): string {
  return cost === null ? '–' : formatMoney(Number(cost.amount), cost.currency);
}
