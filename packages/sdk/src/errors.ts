import type { Run } from './run.ts';

/** What a reply says about itself besides its message. */
export interface ErrorFacts {
  /** HTTP status; null when no reply came. */
  readonly status?: number | null;
  /** The server's word for the situation (`token_unknown`, `too_many_runs`, …); else the class's own. */
  readonly code?: string | null;
  /** Names the entry in the server's log. */
  readonly requestId?: string | null;
  /** `detail` of the reply, as it came. */
  readonly detail?: unknown;
  readonly cause?: unknown;
}

/** Anything that went wrong between this program and a result. One subclass per situation a caller can act on. */
export class PipelineApiError extends Error {
  override readonly name: string = 'PipelineApiError';
  readonly status: number | null;
  readonly code: string;
  readonly requestId: string | null;
  readonly detail: unknown;

  constructor(message: string, facts: ErrorFacts = {}, ownCode = 'refused') {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.status = facts.status ?? null;
    this.code = facts.code ?? ownCode;
    this.requestId = facts.requestId ?? null;
    this.detail = facts.detail;
  }
}

/** No token, or one the server does not take (401): unknown, expired or disabled, see `code`. */
export class AuthenticationError extends PipelineApiError {
  override readonly name = 'AuthenticationError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'authentication');
  }
}

/** The token may not do this (403): a scope is missing, or the plan does not allow it (`code` is `plan_required`). */
export class PermissionDeniedError extends PipelineApiError {
  override readonly name = 'PermissionDeniedError';
  /** Names of plans that would allow it; empty for other reasons. */
  readonly plans: readonly string[];
  constructor(message: string, plans: readonly string[], facts?: ErrorFacts) {
    super(message, facts, 'permission_denied');
    this.plans = plans;
  }
}

/** Tokens, as a quota counts them. Null where the server does not say. */
export interface QuotaFacts {
  readonly limit: number | null;
  readonly used: number | null;
  /** By runs that have not ended. */
  readonly reserved: number | null;
  /** What the refused run could have used at most. */
  readonly requested: number | null;
  readonly resetsAt: Date | null;
  readonly retryAfterMs: number | null;
}

/** The plan's tokens of the day or month would be exceeded (402). Asking for fewer tokens may fit. */
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
  /** Names of the offending parameters, as far as the server says. */
  readonly parameters: readonly string[];
  constructor(message: string, parameters: readonly string[], facts?: ErrorFacts) {
    super(message, facts, 'invalid_request');
    this.parameters = parameters;
  }
}

/** No pipeline, run or file of that name (404). */
export class NotFoundError extends PipelineApiError {
  override readonly name = 'NotFoundError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'not_found');
  }
}

/** The state of things forbids it (409): a name that is taken, a run that has not ended. */
export class ConflictError extends PipelineApiError {
  override readonly name = 'ConflictError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'conflict');
  }
}

/** Too many requests or runs at once, or the queue is full (429). */
export class RateLimitedError extends PipelineApiError {
  override readonly name = 'RateLimitedError';
  /** Null when the server does not say. */
  readonly retryAfterMs: number | null;
  constructor(message: string, retryAfterMs: number | null, facts?: ErrorFacts) {
    super(message, facts, 'rate_limited');
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server failed (5xx). The same request may work later. */
export class ServerError extends PipelineApiError {
  override readonly name = 'ServerError';
  /** Null when the server does not say. */
  readonly retryAfterMs: number | null;
  constructor(message: string, retryAfterMs: number | null, facts?: ErrorFacts) {
    super(message, facts, 'server_error');
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * No complete reply: unreachable, silent for longer than `timeoutMs`, cut off, or redirected.
 *
 * A run that was sent may still have been done: send it again with the same `idempotencyKey`, or look at `listRuns`.
 */
export class ConnectionFailedError extends PipelineApiError {
  override readonly name = 'ConnectionFailedError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'connection_failed');
  }
}

/** A reply that is not what this API sends: usually `url` points at something else. */
export class UnexpectedReplyError extends PipelineApiError {
  override readonly name = 'UnexpectedReplyError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'unexpected_reply');
  }
}

/**
 * A stream of events ended before its run did; the run itself may go on. `code` says why: `reader_too_slow` and
 * `stream_ended` come from the server, `generation_restarted` means that text handed out is void.
 */
export class StreamInterruptedError extends PipelineApiError {
  override readonly name = 'StreamInterruptedError';
  /** For `waitForRun`. Null when the stream ended before it named its run. */
  readonly runId: string | null;
  constructor(message: string, runId: string | null, code: string) {
    super(message, { code });
    this.runId = runId;
  }
}

/** `waitForRun` took longer than it was allowed. The run goes on. */
export class WaitTimeoutError extends PipelineApiError {
  override readonly name = 'WaitTimeoutError';
  /** As it was seen last. */
  readonly run: Run;
  constructor(run: Run, waitMs: number) {
    super(`run ${run.id} is ${run.runState} after ${waitMs} ms; wait again, or cancel it`, {}, 'wait_timeout');
    this.run = run;
  }
}

/** Thrown by `throwIfFailed`: the run came back, and it failed. */
export class RunFailedError extends PipelineApiError {
  override readonly name = 'RunFailedError';
  readonly run: Run;
  constructor(run: Run) {
    const text = run.errorInfo?.exception ?? '';
    super(`run ${run.id} failed (${run.error ?? 'no reason given'})${text && `: ${text}`}`, {}, 'run_failed');
    this.run = run;
  }
}
