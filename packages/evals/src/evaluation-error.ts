export type EvaluationErrorCode =
  /** No included task has the name. */
  | 'task_unknown'
  /** The file of a task cannot be read. */
  | 'data_missing'
  /** The file of a task has another SHA-256. */
  | 'data_changed'
  /** A document or a request is not of the expected form. */
  | 'data_invalid'
  /** A continuation alone is longer than the context. */
  | 'request_too_long'
  /** The reply of a server has no log-probabilities of the requested tokens. */
  | 'reply_invalid'
  /** A server did not answer, or with an error. */
  | 'server_failed'
  /** A self-check of the log-probabilities failed; the message names it. */
  | 'check_failed'
  /** The file is not a journal. */
  | 'journal_invalid'
  /** A server gives other scores than those in the journal. */
  | 'journal_stale'
  /** The file is not a result of gptj eval, or two results have no task in common. */
  | 'results_invalid';

/** An evaluation that cannot start or go on. The message has the expected and the found value, and the remedy. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  readonly code: EvaluationErrorCode;

  constructor(code: EvaluationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
