import type { ErrorEntry } from './error-entry.ts';

/** Errors of limits of what stays: files, data, runs, evaluations, backups and entries of the audit log. */
export const STORAGE_ERRORS = {
  storage_full: {
    status: 413,
    message: 'storage of the plan {plan} is full: {limit} {what}, {used} used, {requested} more requested',
    remedy:
      'delete runs (DELETE /v2/runs/:id deletes input and result as well), files, data and evaluations that are no longer needed, or change to a larger plan; GET /v2/storage shows what is used',
  },
  file_in_use: {
    status: 409,
    message: '{kind} {id} is used by {user}',
    remedy: 'delete what uses it first: DELETE /v2/runs/:id, DELETE /v2/data/:id',
  },
  backup_running: {
    status: 409,
    message: 'another backup is being made',
    remedy: 'wait until it has ended',
  },
  too_many_changes: {
    status: 429,
    message: 'too many changes of the kind {action}: at most {limit} within an hour',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
