import type { Run } from './run.ts';

/** Details of an error besides its message. */
export interface ErrorFacts {
  /** HTTP status; null when no reply came. */
  readonly status?: number | null;
  /** Error code of the server (`token_unknown`, `too_many_runs`, …). Default: the code of the class. */
  readonly code?: string | null;
  /** Identifies the entry in the server's log. */
  readonly requestId?: string | null;
  /** `detail` of the reply, unchanged. */
  readonly detail?: unknown;
  readonly cause?: unknown;
}

/** Base class of every error of this SDK. There is one subclass per situation that a caller can handle. */
export class PipelineApiError extends Error {
  override readonly name: string = 'PipelineApiError';
  readonly status: number | null;
  readonly code: string;
  readonly requestId: string | null;
  readonly detail: unknown;

  constructor(message: string, facts: ErrorFacts = {}, classCode = 'refused') {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.status = facts.status ?? null;
    this.code = facts.code ?? classCode;
    this.requestId = facts.requestId ?? null;
    this.detail = facts.detail;
  }
}

/** No token, or one that the server refuses (401): unknown, expired or disabled, see `code`. */
export class AuthenticationError extends PipelineApiError {
  override readonly name: string = 'AuthenticationError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'authentication');
  }
}

/** There is no session, or it has ended (401): sign in. `code` is `session_replaced` when another account has signed in. */
export class SessionEndedError extends AuthenticationError {
  override readonly name = 'SessionEndedError';
}

/** The token may not do this (403): a scope is missing, or the plan does not allow it (`code` is `plan_required`). */
export class PermissionDeniedError extends PipelineApiError {
  override readonly name = 'PermissionDeniedError';
  /** Names of plans that allow it; empty for other reasons. */
  readonly plans: readonly string[];
  constructor(message: string, plans: readonly string[], facts?: ErrorFacts) {
    super(message, facts, 'permission_denied');
    this.plans = plans;
  }
}

/** Tokens of a quota. Null where the reply does not state them. */
export interface QuotaFacts {
  readonly limit: number | null;
  readonly used: number | null;
  /** Reserved by runs that have not ended. */
  readonly reserved: number | null;
  /** Maximum that the refused run could use. */
  readonly requested: number | null;
  readonly resetsAt: Date | null;
  readonly retryAfterMs: number | null;
}

/** The run would exceed the plan's tokens of the day or month (402). A request for fewer tokens may fit. */
export class QuotaExceededError extends PipelineApiError {
  override readonly name = 'QuotaExceededError';
  readonly limit: number | null;
  readonly used: number | null;
  readonly reserved: number | null;
  readonly requested: number | null;
  readonly resetsAt: Date | null;
  readonly retryAfterMs: number | null;
  constructor(message: string, quota: QuotaFacts, facts?: ErrorFacts) {
    super(message, facts, 'quota_exceeded');
    this.limit = quota.limit;
    this.used = quota.used;
    this.reserved = quota.reserved;
    this.requested = quota.requested;
    this.resetsAt = quota.resetsAt;
    this.retryAfterMs = quota.retryAfterMs;
  }
}

/** The server refuses the request (400, 422). */
export class InvalidRequestError extends PipelineApiError {
  override readonly name = 'InvalidRequestError';
  /** Names of the invalid parameters that the reply states. */
  readonly parameters: readonly string[];
  constructor(message: string, parameters: readonly string[], facts?: ErrorFacts) {
    super(message, facts, 'invalid_request');
    this.parameters = parameters;
  }
}

/** There is no pipeline, run or file with that id or name (404). */
export class NotFoundError extends PipelineApiError {
  override readonly name = 'NotFoundError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'not_found');
  }
}

/** The request conflicts with the present state (409): a name that is taken, a run that has not ended. */
export class ConflictError extends PipelineApiError {
  override readonly name = 'ConflictError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'conflict');
  }
}

/** Too many requests or runs, or a full queue (429). */
export class RateLimitedError extends PipelineApiError {
  override readonly name = 'RateLimitedError';
  /** Null when the reply does not state it. */
  readonly retryAfterMs: number | null;
  constructor(message: string, retryAfterMs: number | null, facts?: ErrorFacts) {
    super(message, facts, 'rate_limited');
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server failed (5xx). The same request may work later. */
export class ServerError extends PipelineApiError {
  override readonly name = 'ServerError';
  /** Null when the reply does not state it. */
  readonly retryAfterMs: number | null;
  constructor(message: string, retryAfterMs: number | null, facts?: ErrorFacts) {
    super(message, facts, 'server_error');
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * No complete reply: the server is unreachable, silent for longer than `timeoutMs`, closed the connection, or redirected.
 *
 * A run that was sent may have been executed: send it again with the same `idempotencyKey`, or check `listRuns`.
 */
export class ConnectionFailedError extends PipelineApiError {
  override readonly name = 'ConnectionFailedError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'connection_failed');
  }
}

/** A reply that is not of this API. Usually `url` is the address of another server. */
export class UnexpectedReplyError extends PipelineApiError {
  override readonly name = 'UnexpectedReplyError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'unexpected_reply');
  }
}

/**
 * A stream of events ended before its run did; the run itself may continue. `code` is the reason: `reader_too_slow` and
 * `stream_ended` come from the server, `generation_restarted` means that text returned so far is invalid.
 */
export class StreamInterruptedError extends PipelineApiError {
  override readonly name = 'StreamInterruptedError';
  /** For `waitForRun`. Null when the stream ended before its first `run` event. */
  readonly runId: string | null;
  constructor(message: string, runId: string | null, code: string) {
    super(message, { code });
    this.runId = runId;
  }
}

/** `waitForRun` took longer than `waitMs`. The run continues. */
export class WaitTimeoutError extends PipelineApiError {
  override readonly name = 'WaitTimeoutError';
  /** The run in its last known state. */
  readonly run: Run;
  constructor(run: Run, waitMs: number) {
    super(`run ${run.id} is ${run.runState} after ${waitMs} ms; wait again, or cancel it`, {}, 'wait_timeout');
    this.run = run;
  }
}

/** The run has failed. Thrown by `throwIfFailed`, `downloadResult` and `texts`. */
export class RunFailedError extends PipelineApiError {
  override readonly name = 'RunFailedError';
  readonly run: Run;
  constructor(run: Run) {
    const text = run.errorInfo?.exception ?? '';
    super(`run ${run.id} failed (${run.error ?? 'no reason stated'})${text && `: ${text}`}`, {}, 'run_failed');
    this.run = run;
  }
}
