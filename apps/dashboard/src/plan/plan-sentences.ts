/** The limits and prices of a plan as sentences. */
import type { Plan } from '@gptj-cloud/sdk';
import { formatBinaryBytes, formatCount, formatDuration, formatMoney, formatShort } from '../ui/formats.ts';

/** `$12.99 a month`, `Free`. */
export function monthlyPrice({ prices }: Plan, currency: string): string {
  return prices.monthly === 0 ? 'No monthly price' : `${formatMoney(prices.monthly, currency)} a month`;
}

/** What use costs beyond the monthly price. */
export function pricesOfUse({ prices }: Plan, currency: string): readonly string[] {
  const of = (price: number, unit: string): readonly string[] =>
    price === 0 ? [] : [`${formatMoney(price, currency)} ${unit}`];
  const stated = [
    ...of(prices.perComputeHour, 'an hour of computing, by the millisecond'),
    ...of(prices.per1000PromptTokens, 'for 1,000 tokens of prompts'),
    ...of(prices.per1000GeneratedTokens, 'for 1,000 generated tokens'),
  ];
  return stated.length === 0 ? ['Use costs nothing'] : stated;
}

export function planLimits(plan: Plan): readonly string[] {
  const tokens = (limit: number | null, period: string): string =>
    limit === null ? `No limit of tokens ${period}` : `${formatShort(limit)} tokens ${period}`;
  const { requestsPerMinute, concurrentRuns, maxContext, maxGenerationSeconds, storedBytes, pipelineTags } = plan;
  return [
    modelsOf(plan),
    tokens(plan.tokensPerDay, 'a day'),
    tokens(plan.tokensPerMonth, 'a month'),
    requestsPerMinute === null
      ? 'No limit of requests a minute'
      : `${formatCount(requestsPerMinute)} requests a minute`,
    concurrentRuns === null ? 'Any number of runs at once' : `${formatCount(concurrentRuns)} runs at once`,
    maxContext === null
      ? 'The whole context of a model'
      : `Up to ${formatCount(maxContext)} tokens of prompt and output together`,
    maxGenerationSeconds === null
      ? 'Generations of any length'
      : `Up to ${formatDuration(maxGenerationSeconds * 1000)} of computing for a generation`,
    storedBytes === null ? 'No limit of storage' : `${formatBinaryBytes(storedBytes)} of inputs, results and files`,
    pipelineTags === null ? 'Any number of tags' : `${formatCount(pipelineTags)} tags in a project`,
  ];
}

function modelsOf({ models }: Plan): string {
  if (models.includes('*')) return 'Every model';
  return models.length === 1 ? `The model ${models[0]}` : `The models ${models.join(', ')}`;
}
