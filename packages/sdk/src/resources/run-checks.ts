/** What a run would do, cost and be refused for. */
import type { Endpoint } from '../connection.ts';
import { exchange } from '../exchange.ts';
import { arrayAt, numberAt, objectAt, orNull, stringAt } from '../fields.ts';
import type { JsonObject } from '../json.ts';
import type { CallOptions } from '../options.ts';
import { type Money, parseCost } from '../run.ts';

/** The most that a run can cost. */
export interface CostAtMost extends Money {
  readonly computedTokens: number;
  /** Price of the time of computing, which is not known before: `amount` is that of the tokens. */
  readonly perComputeHour: number;
}

/** The error that a run would get now. */
export interface RunRefusal {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  /** What to do. */
  readonly remedy: string | null;
  readonly retryAfterSeconds: number | null;
  /** All fields of the error, such as `limit` and `used`. */
  readonly details: JsonObject;
}

/** Counts, mode and cost are null where the input itself is refused. */
export interface RunCheck {
  readonly promptTokens: number | null;
  readonly maxGeneratedTokens: number | null;
  /** Longest sequence, prompt included. */
  readonly contextTokens: number | null;
  readonly mode: string | null;
  readonly warnings: readonly string[];
  readonly costAtMost: CostAtMost | null;
  /** Null: the run would be accepted. */
  readonly refusal: RunRefusal | null;
}

/** Checks a run without running it; nothing is stored or reserved. */
export async function checkRun(
  endpoint: Endpoint,
  pipelineId: string,
  data: readonly unknown[],
  { signal }: CallOptions,
): Promise<RunCheck> {
  const body = { pipeline_id: pipelineId, data };
  const call = { method: 'POST', path: '/v2/runs/check', body, signal, isIdempotent: true } as const;
  const raw = objectAt(await exchange(endpoint, call), 'a check of a run');
  const count = (field: string): number | null => orNull(raw[field], (value) => numberAt(value, field));
  return {
    promptTokens: count('prompt_tokens'),
    maxGeneratedTokens: count('max_generated_tokens'),
    contextTokens: count('context_tokens'),
    mode: orNull(raw.mode, (value) => stringAt(value, 'mode')),
    warnings: arrayAt(raw.warnings, 'warnings').map((line) => stringAt(line, 'warnings')),
    costAtMost: orNull(raw.cost_at_most, parseCostAtMost),
    refusal: orNull(raw.refusal, parseRefusal),
  };
}

function parseCostAtMost(value: unknown): CostAtMost {
  const raw = objectAt(value, 'cost_at_most');
  const money = parseCost(value);
  return {
    amount: stringAt(money?.amount, 'cost_at_most.amount'),
    currency: stringAt(money?.currency, 'cost_at_most.currency'),
    computedTokens: numberAt(raw.computed_tokens, 'cost_at_most.computed_tokens'),
    perComputeHour: numberAt(raw.per_compute_hour, 'cost_at_most.per_compute_hour'),
  };
}

function parseRefusal(value: unknown): RunRefusal {
  const details = objectAt(value, 'refusal');
  return {
    code: stringAt(details.code, 'refusal.code'),
    status: numberAt(details.status, 'refusal.status'),
    message: stringAt(details.message, 'refusal.message'),
    remedy: orNull(details.remedy, (text) => stringAt(text, 'refusal.remedy')),
    retryAfterSeconds: orNull(details.retry_after_seconds, (seconds) => numberAt(seconds, 'refusal')),
    details,
  };
}
