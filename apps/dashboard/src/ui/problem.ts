/** The facts of a failed request in one shape, from errors of the SDK and of this package. */

export interface Problem {
  /** HTTP status; null when no reply came. */
  readonly status: number | null;
  readonly code: string;
  /** The server's sentence. */
  readonly message: string;
  readonly remedy: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  /** `detail` of the reply. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The problem that `error` states. Errors without a reply count as a lost connection when `fetch` reports them. */
export function problemOf(error: unknown): Problem {
  const fields = isRecord(error) ? error : {};
  const detail = isRecord(fields.detail) ? fields.detail : {};
  const status = typeof fields.status === 'number' ? fields.status : null;
  const code =
    textOf(detail.code) ?? textOf(fields.code) ?? (error instanceof TypeError ? 'connection_failed' : 'failed');
  return {
    status,
    code,
    message: messageOf(error, detail, code),
    remedy: textOf(detail.remedy),
    requestId: textOf(detail.request_id) ?? textOf(fields.requestId),
    retryAfterMs: amountOf(detail.retry_after_ms) ?? amountOf(fields.retryAfterMs),
    detail,
  };
}

/** Messages of invalid fields by the name of the field, as validation errors of the server list them. */
export function fieldErrorsOf(error: unknown): Readonly<Record<string, string>> {
  const { detail } = problemOf(error);
  const errors: readonly unknown[] = Array.isArray(detail.errors) ? detail.errors : [];
  const named = errors.filter(isRecord).flatMap((entry) => {
    // `body->email`: the way to the field.
    const name = textOf(entry.parameter)?.split('->').at(-1);
    const text = textOf(entry.error) ?? textOf(entry.msg);
    return name === undefined || text === null ? [] : [[name, text] as const];
  });
  return Object.fromEntries(named);
}

/** Whether the session has ended: the shell asks to sign in again, and the page goes on then. */
export function isSessionEnded(error: unknown): boolean {
  const { status, code } = problemOf(error);
  return status === 401 && ['session_ended', 'session_replaced', 'token_missing'].includes(code);
}

/** Whether no complete reply came: the server is down, or restarts. */
export function isConnectionLost(error: unknown): boolean {
  const { status, code } = problemOf(error);
  return status === null && code === 'connection_failed';
}

function messageOf(error: unknown, detail: Readonly<Record<string, unknown>>, code: string): string {
  const stated = textOf(detail.message);
  if (stated !== null) return stated;
  if (code === 'connection_failed') return 'The server does not answer.';
  return error instanceof Error && error.message !== '' ? error.message : 'The request failed.';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function amountOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}
