/** From a reply outside 2xx to the error class of its situation: the one table of statuses. */
import {
  AuthenticationError,
  type ErrorFacts,
  InvalidRequestError,
  NotFoundError,
  PipelineApiError,
  RateLimitedError,
  ServerError,
} from './errors.ts';
import { isObject, type JsonObject, readJson } from './json.ts';

/** A reply that is not JSON (a proxy's HTML page, say) is quoted up to this many characters. */
const QUOTE_LENGTH = 200;

export interface Refusal {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly text: string;
}

/** The error that tells of `refusal`. `nowMs` is the clock, for a Retry-After that names a date. */
export function errorOf(refusal: Refusal, nowMs: number): PipelineApiError {
  const { status, headers } = refusal;
  const body = readJson(refusal.text);
  const detail = isObject(body) ? body.detail : undefined;
  const fields = isObject(detail) ? detail : {};
  const quoted = body === undefined ? refusal.text.trim().replace(/\s+/g, ' ').slice(0, QUOTE_LENGTH) : '';
  const said = saidBy(detail) || quoted || refusal.statusText || 'no message';
  const remedy = text(fields.remedy);
  const message = `${status}: ${said}${remedy === null ? '' : ` (${remedy})`}`;
  const facts: ErrorFacts = {
    status,
    code: text(fields.code),
    requestId: text(fields.request_id) ?? headers.get('x-request-id'),
    detail,
  };
  if (status === 401 || status === 403) return new AuthenticationError(message, facts);
  if (status === 400 || status === 422) return new InvalidRequestError(message, parametersOf(detail), facts);
  if (status === 404) return new NotFoundError(message, facts);
  if (status === 429) return new RateLimitedError(message, retryAfterSeconds(headers, nowMs), facts);
  if (status >= 500) return new ServerError(message, retryAfterSeconds(headers, nowMs), facts);
  return new PipelineApiError(message, facts);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** `detail` is a text, an object with a message, or the list of complaints that FastAPI writes. */
function saidBy(detail: unknown): string {
  if (typeof detail === 'string') return detail;
  const message = isObject(detail) ? text(detail.message) : null;
  const complaints = complaintsOf(isObject(detail) ? detail.errors : detail)
    // A message that already tells what is wrong is not made to say it twice.
    .filter((complaint) => message === null || !message.includes(complaint.text))
    .map((complaint) => (complaint.parameter === '' ? complaint.text : `${complaint.parameter}: ${complaint.text}`));
  return [...(message === null ? [] : [message]), ...complaints].join('; ');
}

function parametersOf(detail: unknown): readonly string[] {
  const fields: JsonObject = isObject(detail) ? detail : { errors: detail };
  const several: readonly unknown[] = Array.isArray(fields.parameters) ? fields.parameters : [];
  const named = [fields.parameter, ...several, ...complaintsOf(fields.errors).map(({ parameter }) => parameter)];
  return [...new Set(named.filter((name): name is string => text(name) !== null))];
}

function complaintsOf(errors: unknown): readonly { readonly parameter: string; readonly text: string }[] {
  const list: readonly unknown[] = Array.isArray(errors) ? errors : [];
  return list.filter(isObject).map((entry) => ({
    parameter: Array.isArray(entry.loc) ? entry.loc.join('->') : (text(entry.parameter) ?? ''),
    text: text(entry.error) ?? text(entry.msg) ?? 'invalid',
  }));
}

/** The header holds seconds or a date. */
function retryAfterSeconds(headers: Headers, nowMs: number): number | null {
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? null : Math.max(0, (dateMs - nowMs) / 1000);
}
