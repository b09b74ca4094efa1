/**
 * Admission by the plans' limits. Counters live in the store: every process that serves sees the same ones, and each
 * step is one function call there, behind the lock of the account's row.
 *
 * - Requests a minute: the log of requests let in is kept for as long as it counts, so that no 60 seconds ever hold
 *   more than the limit. Refused requests do not count.
 * - Tokens a day and a month: used + reserved never passes the limit, as long as a generation keeps its estimate.
 * - A request belongs to the day (UTC) it was let in, in quotas and in meters, however late it ends.
 *
 * The clock of the processes decides, not the store's; where several differ a little, it does not go back.
 */
import { randomUUID } from 'node:crypto';
import { ApiError } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import { batched } from '../../store/batched.ts';
import type { Database } from '../../store/db.ts';
import { repeat } from '../../store/repeat.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { allowsModel, isCounted, type Plan } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import type { Admission, Admitted, AdmittedRun, GenerationCost, GenerationEstimate } from './admission.ts';
import {
  forgetHolder,
  type MeteredCost,
  type ReservationAnswer,
  type ReservationRequest,
  reserveAll,
  type Settlement,
  settleAll,
  sweepReservations,
} from './reservation-store.ts';
import { type Meter, readTicket, type Ticket, writeTicket } from './ticket.ts';

export interface CountedAdmissionDeps {
  readonly db: Database;
  readonly plans: PlanBook;
  /** Name by which plans allow what is served. */
  readonly servedModel: string;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** How often this process says that it is alive. Null: never by itself; call `sweep`. Default 20 s. */
  readonly sweepEveryMs?: number | null;
}

export interface CountedAdmission extends Admission {
  /** Say that this process is alive, and return what dead ones had reserved. How many reservations that were. */
  sweep(): Promise<number>;
  /** Say that this process is not alive any more. Idempotent. */
  close(): Promise<void>;
}

/** Silence after which a process counts as dead. A slip of a second is fine; clocks must agree to about this. */
const LEASE_MS = 60_000;
const SWEEP_EVERY_MS = 20_000;
/** Runs take seconds: asking again sooner finds the same. */
const CONCURRENCY_RETRY_SECONDS = 2;

export async function openCountedAdmission(deps: CountedAdmissionDeps): Promise<CountedAdmission> {
  const { db, clock } = deps;
  const holder = randomUUID();
  const sweep = async (): Promise<number> => {
    const now = clock();
    return await sweepReservations(db, holder, now, new Date(now.getTime() + LEASE_MS));
  };
  await sweep();
  const every = deps.sweepEveryMs === undefined ? SWEEP_EVERY_MS : deps.sweepEveryMs;
  const sweepOrSay = async (): Promise<void> => {
    try {
      await sweep();
    } catch (error) {
      deps.logger.error('reservations could not be swept', { error });
    }
  };
  const sweeps = every === null ? null : repeat(sweepOrSay, every);
  let closing: Promise<void> | undefined;
  const reserve = batched((requests: readonly ReservationRequest[]) => reserveAll(db, requests));
  const settle = batched((settlements: readonly Settlement[]) => settleAll(db, settlements));

  /** What a request is checked for and reserves; throws what its plan lacks. */
  const judge = (principal: Principal, estimate: GenerationEstimate, holder: string | null): Judged => {
    const plan = deps.plans.planOf(principal);
    refuseWhatPlanLacks(deps, plan, estimate);
    const { userId, projectId, apiKeyId } = principal;
    const now = clock();
    const meter = { userId, projectId, apiKeyId, pipeline: clean(estimate.model), planId: plan.id };
    const tokens = wholeNumber(estimate.promptTokens) + wholeNumber(estimate.maxGeneratedTokens);
    return {
      plan,
      uncounted: { ...meter, day: now.toISOString().slice(0, 10), accountId: null, seq: null },
      request: isCounted(plan) ? { userId, projectId, planId: plan.id, tokens, holder, limits: plan, now } : null,
    };
  };
  return {
    sweep,
    async admit(principal, estimate) {
      const judged = judge(principal, estimate, holder);
      const { priority, meter } = grant(judged, judged.request && (await reserve(judged.request)));
      return admitted(db, settle, priority, meter);
    },
    async admitRuns(tx, runs) {
      const judged = runs.map(({ principal, estimate }) => orRefusal(() => judge(principal, estimate, null)));
      const requests = judged.flatMap((one) => (one instanceof ApiError || one.request === null ? [] : [one.request]));
      const answers = requests.length === 0 ? [] : await reserveAll(tx, requests);
      let next = 0;
      return judged.map((one) =>
        one instanceof ApiError
          ? one
          : orRefusal((): AdmittedRun => {
              const ticket = grant(one, one.request === null ? null : answers[next++]);
              return { priority: ticket.priority, ticket: writeTicket(ticket) };
            }),
      );
    },
    async endRuns(tx, ends) {
      const settlements = ends.map(({ ticket, cost }) => ({
        meter: readTicket(ticket).meter,
        cost: cost === null ? null : toMeteredCost(cost),
      }));
      const counted = settlements.filter(({ meter, cost }) => cost !== null || meter.seq !== null);
      if (counted.length > 0) await settleAll(tx, counted);
    },
    async close() {
      sweeps?.stop();
      closing ??= forgetHolder(db, holder);
      await closing;
    },
  };
}

/** A request that its plan does not rule out. */
interface Judged {
  readonly plan: Plan;
  /** Where it is metered when nothing need be reserved. */
  readonly uncounted: Meter;
  /** What must be reserved, or null. */
  readonly request: ReservationRequest | null;
}

/** Throws the refusal when the answer is one. */
function grant({ plan, uncounted, request }: Judged, answer: ReservationAnswer | null | undefined): Ticket {
  if (request === null) return { meter: uncounted, priority: plan.priority };
  if (answer == null) throw new TypeError('every request for a reservation has its answer');
  if (answer.verdict !== 'granted') throw refusal(plan, request.tokens, answer);
  const { day, account, seq } = answer;
  return { meter: { ...uncounted, day, accountId: account, seq }, priority: plan.priority };
}

function orRefusal<Granted>(ask: () => Granted): Granted | ApiError {
  try {
    return ask();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

/** A generation that was let in. Reservations know in the store whether they were ended; the others only here. */
function admitted(
  db: Database,
  settle: (settlement: Settlement) => Promise<boolean>,
  priority: number,
  meter: Meter,
): Admitted {
  let ended: Promise<unknown> | undefined;
  const once = (end: () => Promise<unknown>): Promise<unknown> => {
    ended ??= end().catch((error: unknown) => {
      ended = undefined;
      throw error;
    });
    return ended;
  };
  return {
    priority,
    async settle(cost) {
      const settlement = { meter, cost: toMeteredCost(cost) };
      await once(() => settle(settlement));
    },
    async cancel() {
      await once(async () => {
        if (meter.seq !== null) await settleAll(db, [{ meter, cost: null }]);
      });
    },
  };
}

function refuseWhatPlanLacks(
  { plans, servedModel }: CountedAdmissionDeps,
  plan: Plan,
  estimate: GenerationEstimate,
): void {
  const context = estimate.contextTokens ?? estimate.promptTokens + estimate.maxGeneratedTokens;
  const refuse = (reason: string, enough: (other: Plan) => boolean): ApiError => {
    const others = plans.plans.filter((other) => other.offered && enough(other));
    const names = others.map(({ name }) => name);
    const remedy = names.length === 0 ? 'ask the operator of this server' : `change to the plan ${names.join(' or ')}`;
    const details = { plan: plan.id, plans: others.map(({ id }) => id) };
    return new ApiError('plan_required', { plan: plan.name, reason, remedy }, { details });
  };
  if (!allowsModel(plan, servedModel)) {
    throw refuse(`the model ${servedModel} is not part of it`, (other) => allowsModel(other, servedModel));
  }
  const fits = (other: Plan): boolean => other.maxContext === null || context <= other.maxContext;
  if (!fits(plan)) {
    throw refuse(
      `prompt and generated text may take ${plan.maxContext} tokens together, and ${context} are asked for`,
      (other) => fits(other) && allowsModel(other, servedModel),
    );
  }
}

function refusal(plan: Plan, requested: number, answer: Exclude<ReservationAnswer, { verdict: 'granted' }>): ApiError {
  switch (answer.verdict) {
    case 'rate': {
      const limit = plan.requestsPerMinute ?? 0;
      const retryAfterSeconds = Math.max(1, Math.ceil(answer.waitMs / 1000));
      return new ApiError(
        'rate_limited',
        { plan: plan.name, limit },
        { retryAfterSeconds, details: { plan: plan.id, limit, retry_after_ms: Math.ceil(answer.waitMs) } },
      );
    }
    case 'concurrency': {
      const limit = plan.concurrentRuns ?? 0;
      return new ApiError(
        'concurrency_limited',
        { plan: plan.name, limit, running: answer.used },
        { retryAfterSeconds: CONCURRENCY_RETRY_SECONDS, details: { plan: plan.id, limit, running: answer.used } },
      );
    }
    case 'day':
    case 'month': {
      const { verdict: period, used, reserved, nowMs } = answer;
      const limit = (period === 'day' ? plan.tokensPerDay : plan.tokensPerMonth) ?? 0;
      const resetsMs = endOfPeriod(period, new Date(nowMs));
      const resetsAt = new Date(resetsMs).toISOString();
      return new ApiError(
        'quota_exceeded',
        { plan: plan.name, period, limit, used, reserved, requested, resets_at: resetsAt },
        {
          retryAfterSeconds: Math.max(1, Math.ceil((resetsMs - nowMs) / 1000)),
          details: { plan: plan.id, period, limit, used, reserved, requested, resets_at: resetsAt },
        },
      );
    }
    default:
      answer satisfies never;
      throw new TypeError('every verdict has its refusal');
  }
}

/** First moment after the day or month (UTC), in epoch milliseconds. */
function endOfPeriod(period: 'day' | 'month', now: Date): number {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return period === 'day' ? Date.UTC(year, month, now.getUTCDate() + 1) : Date.UTC(year, month + 1, 1);
}

function toMeteredCost(cost: GenerationCost): MeteredCost {
  return {
    promptTokens: wholeNumber(cost.promptTokens),
    generatedTokens: wholeNumber(cost.generatedTokens),
    cachedTokens: wholeNumber(cost.cachedTokens ?? 0),
    computeMs: wholeNumber(cost.computeMs),
  };
}

/** The name as the store can hold it, and not longer than names are. */
function clean(pipeline: string): string {
  return pipeline.slice(0, 200).replaceAll('\0', '');
}

/** Meters are whole numbers; a fraction of a millisecond is rounded as a run's `compute_time_ms` is. */
function wholeNumber(value: number): number {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`expected a count from 0 to 2^53, got ${value}`);
  }
  return Math.round(value);
}
