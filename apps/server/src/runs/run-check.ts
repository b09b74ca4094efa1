import { ApiError, type RunCheck } from '@gptj-cloud/protocol';
import type { PlanBook } from '../metering/plans/plan-book.ts';
import { priceOf } from '../metering/plans/price.ts';
import type { RunLedger } from './run-ledger.ts';
import { prepareWork, type RunRequest, type RunWork, type RunWorkDeps } from './run-work.ts';
import type { RunWorker } from './run-worker.ts';

export interface RunCheckDeps extends RunWorkDeps {
  readonly ledger: Pick<RunLedger, 'refusalOf'>;
  readonly worker: Pick<RunWorker, 'requirePlace'>;
  readonly plans: PlanBook;
}

/** A request without its idempotency key: a check has no effect that could be repeated. */
export type RunToCheck = Omit<RunRequest, 'idempotencyKey'>;

/** Says what a run would do and cost, and the error that it would get, without storing or reserving anything. */
export function createRunCheck(deps: RunCheckDeps): (request: RunToCheck) => Promise<RunCheck> {
  return async (request) => {
    let work: RunWork;
    try {
      work = (await prepareWork(deps, { ...request, idempotencyKey: null })).work;
    } catch (error) {
      return { ...UNKNOWN, warnings: [...(request.warnings ?? [])], refusal: toRefusal(error) };
    }
    const { prepared } = work;
    const plan = deps.plans.planOf(request.principal);
    const { promptTokens, maxComputedTokens: computedTokens } = prepared;
    return {
      prompt_tokens: promptTokens,
      max_generated_tokens: prepared.maxGeneratedTokens,
      context_tokens: prepared.contextTokens,
      mode: prepared.mode,
      warnings: [...(request.warnings ?? []), ...prepared.warnings],
      cost_at_most: {
        computed_tokens: computedTokens,
        ...priceOf(deps.plans, plan.id, { promptTokens, computedTokens, computeMs: 0 }),
        per_compute_hour: plan.prices.perComputeHour,
      },
      refusal: await refusalOf(deps, request, work),
    };
  };
}

const UNKNOWN = {
  prompt_tokens: null,
  max_generated_tokens: null,
  context_tokens: null,
  mode: null,
  cost_at_most: null,
} as const;

async function refusalOf(
  { ledger, worker }: RunCheckDeps,
  { principal }: RunToCheck,
  { pipeline, prepared, data }: RunWork,
): Promise<RunCheck['refusal']> {
  try {
    worker.requirePlace();
    const { maxComputedTokens: computedTokens, contextTokens } = prepared;
    const estimate = { model: pipeline.id, computedTokens, contextTokens };
    const refusal = await ledger.refusalOf({ principal, estimate, input: 'file' in data ? null : data });
    return refusal === null ? null : toRefusal(refusal);
  } catch (error) {
    return toRefusal(error);
  }
}

/** The error of a refused run as its reply would show it. Other errors are thrown on. */
function toRefusal(error: unknown): RunCheck['refusal'] {
  if (!(error instanceof ApiError)) throw error;
  const { code, status, message, details, retryAfterSeconds } = error;
  return {
    ...details,
    code,
    status,
    message,
    ...(retryAfterSeconds === null ? {} : { retry_after_seconds: retryAfterSeconds }),
  };
}
