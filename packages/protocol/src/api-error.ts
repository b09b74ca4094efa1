import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from './error-catalogue.ts';

/** Values of a message's placeholders. */
export type ErrorValues = Readonly<Record<string, string | number>>;

/** Further fields of `detail`, for example `parameters` or `errors`. Must be JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * An error of the catalogue. Thrown anywhere in the server; `http/error-reply.ts` converts it to a reply.
 * Messages are sent to the client: no paths, no stack, no tokens.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: ErrorDetails;
  /** Seconds until a retry may succeed; sent as Retry-After. Null: a retry will not help. */
  readonly retryAfterSeconds: number | null;
  /** Further headers of the reply. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    values: ErrorValues = {},
    options: {
      readonly details?: ErrorDetails;
      /** Replaces the message of the catalogue: for an error that comes from another thread. */
      readonly message?: string;
      /** Replaces the catalogue's remedy. */
      readonly remedy?: string;
      readonly retryAfterSeconds?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    const entry = ERROR_CATALOGUE[code];
    super(options.message ?? fill(entry.message, values), options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = entry.status;
    const remedy = options.remedy ?? options.details?.remedy ?? fill(entry.remedy, values);
    this.details = { ...options.details, remedy };
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.headers = options.headers ?? {};
  }
}

/** The `ApiError` that an error is or was caused by; null when there is none. */
export function apiErrorOf(error: unknown): ApiError | null {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof ApiError) return each;
  return null;
}

/**
 * Error reply. The 2022 clients show `detail.message` and the other keys of `detail` to their user; they do not show a `detail`
 * that is a plain string.
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

/** A placeholder without a value is left as it is, so that the bug is visible. */
function fill(template: string, values: ErrorValues): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) =>
    Object.hasOwn(values, key) ? String(values[key]) : whole,
  );
}
