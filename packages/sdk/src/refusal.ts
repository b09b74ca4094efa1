/** Maps a reply outside 2xx to an error: the one table of statuses. */
import {
  AuthenticationError,
  ConflictError,
  type ErrorFacts,
  InvalidRequestError,
  NotFoundError,
  PermissionDeniedError,
  PipelineApiError,
  QuotaExceededError,
  type QuotaFacts,
  RateLimitedError,
  ServerError,
  SessionEndedError,
} from './errors.ts';
import { isObject, type JsonObject, readJson } from './json.ts';

/** Maximum number of characters quoted from a reply that is not JSON, such as a proxy's HTML page. */
const QUOTE_LENGTH = 200;

/** A request without a cookie is refused like one without a token. */
const SESSION_CODES: ReadonlySet<string> = new Set(['session_ended', 'token_missing']);

export interface Refusal {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly text: string;
}

/** The error for `refusal`. `nowMs` is the current time, for a Retry-After with a date. */
export function errorOf(refusal: Refusal, nowMs: number): PipelineApiError {
  const { status, headers } = refusal;
  const body = readJson(refusal.text);
  const detail = isObject(body) ? body.detail : undefined;
  const fields = isObject(detail) ? detail : {};
  const quoted = body === undefined ? refusal.text.trim().replace(/\s+/g, ' ').slice(0, QUOTE_LENGTH) : '';
  const summary = summaryOf(detail) || quoted || refusal.statusText || 'no message';
  const remedy = text(fields.remedy);
  const message = `${status}: ${summary}${remedy === null ? '' : ` (${remedy})`}`;
  const facts: ErrorFacts = {
    status,
    code: text(fields.code),
    requestId: text(fields.request_id) ?? headers.get('x-request-id'),
    detail,
  };
  const retryAfterMs = retryAfterMsOf(fields, headers, nowMs);
  if (status === 401) {
    const isSession = SESSION_CODES.has(facts.code ?? '');
    return isSession ? new SessionEndedError(message, facts) : new AuthenticationError(message, facts);
  }
  if (status === 402) return new QuotaExceededError(message, quotaOf(fields, retryAfterMs), facts);
  if (status === 403) return new PermissionDeniedError(message, plansOf(fields), facts);
  if (status === 400 || status === 422) return new InvalidRequestError(message, parametersOf(detail), facts);
  if (status === 404) return new NotFoundError(message, facts);
  if (status === 409) return new ConflictError(message, facts);
  if (status === 429) return new RateLimitedError(message, retryAfterMs, facts);
  if (status >= 500) return new ServerError(message, retryAfterMs, facts);
  return new PipelineApiError(message, facts);
}

function quotaOf(fields: JsonObject, retryAfterMs: number | null): QuotaFacts {
  const resetsAt = new Date(text(fields.resets_at) ?? Number.NaN);
  return {
    limit: amount(fields.limit),
    used: amount(fields.used),
    reserved: amount(fields.reserved),
    requested: amount(fields.requested),
    resetsAt: Number.isNaN(resetsAt.getTime()) ? null : resetsAt,
    retryAfterMs,
  };
}

function plansOf(fields: JsonObject): readonly string[] {
  const plans: readonly unknown[] = Array.isArray(fields.plans) ? fields.plans : [];
  return plans.filter((plan): plan is string => text(plan) !== null);
}

function amount(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** `detail` is a string, an object with a message, or the array of errors that FastAPI writes. */
function summaryOf(detail: unknown): string {
  if (typeof detail === 'string') return detail;
  const message = isObject(detail) ? text(detail.message) : null;
  const fieldErrors = fieldErrorsOf(isObject(detail) ? detail.errors : detail)
    // An error that the message contains already is not repeated.
    .filter((fieldError) => message === null || !message.includes(fieldError.text))
    .map((fieldError) =>
      fieldError.parameter === '' ? fieldError.text : `${fieldError.parameter}: ${fieldError.text}`,
    );
  return [...(message === null ? [] : [message]), ...fieldErrors].join('; ');
}

function parametersOf(detail: unknown): readonly string[] {
  const fields: JsonObject = isObject(detail) ? detail : { errors: detail };
  const several: readonly unknown[] = Array.isArray(fields.parameters) ? fields.parameters : [];
  const named = [fields.parameter, ...several, ...fieldErrorsOf(fields.errors).map(({ parameter }) => parameter)];
  return [...new Set(named.filter((name): name is string => text(name) !== null))];
}

function fieldErrorsOf(errors: unknown): readonly { readonly parameter: string; readonly text: string }[] {
  const list: readonly unknown[] = Array.isArray(errors) ? errors : [];
  return list.filter(isObject).map((entry) => ({
    parameter: Array.isArray(entry.loc) ? entry.loc.join('->') : (text(entry.parameter) ?? ''),
    text: text(entry.error) ?? text(entry.msg) ?? 'invalid',
  }));
}

/** `retry_after_ms` of the reply is exact; the header holds whole seconds or a date. */
function retryAfterMsOf(fields: JsonObject, headers: Headers, nowMs: number): number | null {
  const exact = amount(fields.retry_after_ms);
  if (exact !== null) return exact;
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
