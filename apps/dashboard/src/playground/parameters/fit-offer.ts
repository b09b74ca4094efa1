/** What would make a refused run fit. */
import type { RunCheck } from '@gptj-cloud/sdk';

export interface FitOffer {
  /** A length that fits; null where none does, or where that is not known. */
  readonly newTokens: number | null;
  /** Whether a larger plan helps. */
  readonly hasPlans: boolean;
  /** The prompt alone is too long. */
  readonly isPromptTooLong: boolean;
}

const NONE: FitOffer = { newTokens: null, hasPlans: false, isPromptTooLong: false };

export function fitOffer(check: RunCheck): FitOffer {
  const { refusal } = check;
  if (refusal === null) return NONE;
  if (refusal.code === 'quota_exceeded') return { ...NONE, newTokens: withinQuota(check), hasPlans: true };
  if (refusal.code === 'plan_required') return { ...NONE, hasPlans: true };
  if (refusal.details.reason === 'limit_exceeded') return { ...NONE, newTokens: withinContext(refusal.message) };
  return {
    ...NONE,
    isPromptTooLong: refusal.code === 'invalid_input' && /limited to \d+ tokens/.test(refusal.message),
  };
}

/** Only where every computed token is one of the prompt or a new one: beams and candidates cost more. */
function withinQuota({ promptTokens, maxGeneratedTokens, costAtMost, refusal }: RunCheck): number | null {
  const { limit, used, reserved } = refusal?.details ?? {};
  if (typeof limit !== 'number' || typeof used !== 'number' || typeof reserved !== 'number') return null;
  if (promptTokens === null || maxGeneratedTokens === null) return null;
  if (costAtMost?.computedTokens !== promptTokens + maxGeneratedTokens) return null;
  const fits = limit - used - reserved - promptTokens;
  return fits > 0 ? fits : null;
}

/** The server's sentence states the number that fits. */
function withinContext(message: string): number | null {
  const fits = Number(/at most (\d+) new tokens are possible/.exec(message)?.[1] ?? 0);
  return fits > 0 ? fits : null;
}
