import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from './error-catalogue.ts';

/** Values of a message's placeholders. */
export type ErrorValues = Readonly<Record<string, string | number>>;

/** Further facts shown beside the message, for example `parameters` or `errors`. Must be JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * A refusal with its place in the catalogue. Thrown by whatever finds the fault; converted to a reply in one place.
 * Messages are for the caller: no paths, no stack, no tokens.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: ErrorDetails;
  /** Seconds after which trying again makes sense; sent as Retry-After. Null: not worth a retry. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    values: ErrorValues = {},
    options: {
      readonly details?: ErrorDetails;
      /** What to do here, where the catalogue's remedy does not fit. */
      readonly remedy?: string;
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    const entry = ERROR_CATALOGUE[code];
    super(fill(entry.message, values), options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = entry.status;
    this.details = { ...options.details, remedy: options.remedy ?? fill(entry.remedy, values) };
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/**
 * Error reply. The 2022 clients show `detail.message` and the other keys of `detail` to their user; a `detail` that
 * is a plain string is lost on them.
 */
export const errorBodySchema = z.object({
  detail: z.looseObject({
    message: z.string(),
    code: z.string().optional(),
    remedy: z.string().optional(),
    request_id: z.string().optional(),
  }),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** The body of the reply for `error`. */
export function toErrorBody(error: ApiError, requestId: string): ErrorBody {
  return { detail: { message: error.message, code: error.code, ...error.details, request_id: requestId } };
}

/** A placeholder without a value stays visible: a hole in a message is a bug that should show. */
function fill(template: string, values: ErrorValues): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) =>
    Object.hasOwn(values, key) ? String(values[key]) : whole,
  );
}
