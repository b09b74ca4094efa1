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

/** A token the server does not know (401) or that may not do this (403). */
export class AuthenticationError extends PipelineApiError {
  override readonly name = 'AuthenticationError';
  constructor(message: string, facts?: ErrorFacts) {
    super(message, facts, 'authentication');
  }
}

/** The server refuses what was asked (400, 422). */
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

/** Too many requests, or the queue is full (429). */
export class RateLimitedError extends PipelineApiError {
  override readonly name = 'RateLimitedError';
  /** Null when the server does not say. */
  readonly retryAfterSeconds: number | null;
  constructor(message: string, retryAfterSeconds: number | null, facts?: ErrorFacts) {
    super(message, facts, 'rate_limited');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The server failed (5xx). The same request may work later. */
export class ServerError extends PipelineApiError {
  override readonly name = 'ServerError';
  /** Null when the server does not say. */
  readonly retryAfterSeconds: number | null;
  constructor(message: string, retryAfterSeconds: number | null, facts?: ErrorFacts) {
    super(message, facts, 'server_error');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * No complete reply: unreachable, silent for longer than `timeoutMs`, cut off, or redirected.
 *
 * A run that was sent may still have been done: look at `listRuns` before sending it again.
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
