/**
 * Admission by the plans' limits. Counters live in the store: all processes that serve share them, and each step is one
 * function call there, behind the lock of the account's row.
 *
 * - Requests a minute: admitted requests are logged for 60 seconds (a sliding window), so no 60 seconds contain more than
 *   the limit. Refused requests do not count.
 * - Computed tokens a day and a month: used + reserved never passes the limit, since no generation passes its estimate.
 * - A request belongs to the day (UTC) of its admission, in quotas and in meters, however late it ends.
 *
 * The clocks of the processes decide, not the store's; where they differ a little, the store's time does not go back.
 */
import { randomUUID } from 'node:crypto';
import { ApiError } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import { batched } from '../../store/batched.ts';
import type { Database } from '../../store/db.ts';
import { startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { isCounted, type Plan } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import { priceOf } from '../plans/price.ts';
import type { Admission, Admitted, AdmittedRun, GenerationCost, GenerationEstimate, TimeLimits } from './admission.ts';
import { enforcePlan, toLimitError } from './admission-refusal.ts';
import {
  createSettler,
  type MeteredCost,
  type ReservationAnswer,
  type ReservationRequest,
  removeHeartbeat,
  reserveAll,
  type Settlement,
  settleAll,
  sweepReservations,
} from './reservation-store.ts';
import { type Meter, readTicket, type Ticket, writeTicket } from './ticket.ts';

export interface CountedAdmissionDeps {
  readonly db: Database;
  readonly plans: PlanBook;
  /** Name of the served model, as plans list it. */
  readonly servedModel: string;
  /** The same of every other model, by the name that an estimate has for it. Default: all are the served one. */
  readonly otherModels?: (name: string) => string | undefined;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** Interval of heartbeats and sweeps. Null: none; call `sweep`. Default 20 s. */
  readonly sweepEveryMs?: number | null;
}

export interface CountedAdmission extends Admission {
  /** Renew this process's heartbeat, and return the reservations of dead processes. Returns how many those were. */
  sweep(): Promise<number>;
  /** Stop sweeping and remove this process's heartbeat. Idempotent. */
  close(): Promise<void>;
}

/** A process without a heartbeat for this long counts as dead. Clocks must agree to about this. */
const HEARTBEAT_LIFETIME_MS = 60_000;
const SWEEP_EVERY_MS = 20_000;

export async function openCountedAdmission(deps: CountedAdmissionDeps): Promise<CountedAdmission> {
  const { db, clock } = deps;
  const instanceId = randomUUID();
  const sweep = async (): Promise<number> => {
    const now = clock();
    return await sweepReservations(db, instanceId, now, new Date(now.getTime() + HEARTBEAT_LIFETIME_MS));
  };
  await sweep();
  const everyMs = deps.sweepEveryMs === undefined ? SWEEP_EVERY_MS : deps.sweepEveryMs;
  const onError = (error: unknown): void => deps.logger.error('reservations could not be swept', { error });
  const polling = everyMs === null ? null : startPolling(sweep, { everyMs, onError });
  let closing: Promise<void> | undefined;
  const reserve = batched('reserve', (requests: readonly ReservationRequest[]) => reserveAll(db, requests));
  const settle = batched('settle', createSettler(db));
  return {
    sweep,
    async admit(principal, estimate) {
      const checked = checkPlan(deps, principal, estimate, instanceId);
      const { priority, meter } = toTicket(checked, checked.request && (await reserve(checked.request)));
      return createAdmitted(db, settle, { priority, meter, limits: timeLimitsOf(checked.plan) });
    },
    async admitRuns(tx, runs) {
      const checked = runs.map(({ principal, estimate }) =>
        orApiError(() => checkPlan(deps, principal, estimate, null)),
      );
      const requests = checked.flatMap((one) => (one instanceof ApiError || one.request === null ? [] : [one.request]));
      const answers = requests.length === 0 ? [] : await reserveAll(tx, requests);
      let next = 0;
      return checked.map((one) =>
        one instanceof ApiError
          ? one
          : orApiError((): AdmittedRun => {
              const ticket = toTicket(one, one.request === null ? null : answers[next++]);
              return { priority: ticket.priority, ticket: writeTicket(ticket) };
            }),
      );
    },
    price: (ticket, cost) => priceOf(deps.plans, readTicket(ticket).meter.planId, cost),
    timeLimits: (ticket) => timeLimitsOf(deps.plans.planOf(readTicket(ticket).meter)),
    async endRuns(tx, ends) {
      const settlements = ends.map(({ ticket, cost }) => ({
        meter: readTicket(ticket).meter,
        cost: cost === null ? null : toMeteredCost(cost),
      }));
      const counted = settlements.filter(({ meter, cost }) => cost !== null || meter.seq !== null);
      if (counted.length > 0) await settleAll(tx, counted);
    },
    close() {
      closing ??= (async () => {
        // A sweep under way would store the heartbeat again.
        await polling?.stop();
        await removeHeartbeat(db, instanceId);
      })();
      return closing;
    },
  };
}

/** A request that its plan allows, before counted limits are checked. */
interface CheckedRequest {
  readonly plan: Plan;
  /** Where it is metered when the plan has no counted limits. */
  readonly defaultMeter: Meter;
  /** The reservation to make; null: the plan has no counted limits. */
  readonly request: ReservationRequest | null;
}

/** Check a request against its plan and prepare its reservation. Throws `plan_required`. */
function checkPlan(
  deps: CountedAdmissionDeps,
  principal: Principal,
  estimate: GenerationEstimate,
  instanceId: string | null,
): CheckedRequest {
  const plan = deps.plans.planOf(principal);
  enforcePlan(plan, estimate, deps);
  const { userId, projectId, apiKeyId } = principal;
  const now = deps.clock();
  const meter = { userId, projectId, apiKeyId, pipeline: storablePipeline(estimate.model), planId: plan.id };
  const tokens = wholeNumber(estimate.computedTokens);
  return {
    plan,
    defaultMeter: {
      ...meter,
      day: now.toISOString().slice(0, 10),
      hour: now.getUTCHours(),
      accountId: null,
      seq: null,
    },
    request: isCounted(plan) ? { userId, projectId, planId: plan.id, tokens, instanceId, limits: plan, now } : null,
  };
}

/** The ticket of an admitted request. Throws the error of the limit that refuses it. */
function toTicket(
  { plan, defaultMeter, request }: CheckedRequest,
  answer: ReservationAnswer | null | undefined,
): Ticket {
  if (request === null) return { meter: defaultMeter, priority: plan.priority };
  if (answer == null) throw new TypeError('expected an answer for every reservation request, got none');
  if (answer.verdict !== 'granted') throw toLimitError(plan, request.tokens, answer);
  const { day, account, seq } = answer;
  // The store's day may be another one where the clocks of servers differ.
  const hour = day === defaultMeter.day ? defaultMeter.hour : day < defaultMeter.day ? 23 : 0;
  return { meter: { ...defaultMeter, day, hour, accountId: account, seq }, priority: plan.priority };
}

function timeLimitsOf({ maxGenerationSeconds, maxRunSeconds }: Plan): TimeLimits {
  const toMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000);
  return { generationMs: toMs(maxGenerationSeconds), runMs: toMs(maxRunSeconds) };
}

function orApiError<Value>(call: () => Value): Value | ApiError {
  try {
    return call();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

/** An admitted generation. The store knows whether a reservation was ended; without one, only this object does. */
function createAdmitted(
  db: Database,
  settle: (settlement: Settlement) => Promise<boolean>,
  { priority, meter, limits }: Ticket & Pick<Admitted, 'limits'>,
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
    limits,
    isCounted: meter.seq !== null,
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

function toMeteredCost(cost: GenerationCost): MeteredCost {
  return {
    promptTokens: wholeNumber(cost.promptTokens),
    generatedTokens: wholeNumber(cost.generatedTokens),
    computedTokens: wholeNumber(cost.computedTokens),
    cachedTokens: wholeNumber(cost.cachedTokens ?? 0),
    computeMs: wholeNumber(cost.computeMs),
  };
}

/** The name of a pipeline or model in a form that PostgreSQL stores: at most 200 characters, without U+0000. */
function storablePipeline(name: string): string {
  return name.slice(0, 200).replaceAll('\0', '');
}

/** Meters are whole numbers; fractions of a millisecond are rounded as a run's `compute_time_ms` is. */
function wholeNumber(value: number): number {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`expected a count from 0 to 2^53, got ${value}`);
  }
  return Math.round(value);
}
