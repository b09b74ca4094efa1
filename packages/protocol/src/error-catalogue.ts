import { ACCESS_ERRORS } from './access-errors.ts';
import type { ErrorEntry } from './error-entry.ts';
import { GENERATION_ERRORS } from './generation-errors.ts';
import { REQUEST_ERRORS } from './request-errors.ts';
import { STORAGE_ERRORS } from './storage-errors.ts';
import { WEBHOOK_ERRORS } from './webhook-errors.ts';

/**
 * Every error the server answers with. A POST must not reply 422 with a message for the user: the 2022 clients turn
 * that status into InvalidSchema without reading the body.
 */
export const ERROR_CATALOGUE = {
  ...ACCESS_ERRORS,
  ...STORAGE_ERRORS,
  already_exists: {
    status: 409,
    message: '{what} is taken',
    remedy: 'choose another',
  },
  conflict: {
    status: 409,
    message: '{reason}',
    remedy: '{remedy}',
  },
  limit_reached: {
    status: 409,
    message: 'limit reached: at most {limit} {what}',
    remedy: 'delete one that is no longer needed',
  },
  route_unknown: {
    status: 404,
    message: 'no such address: {method} {path}',
    remedy: 'see GET /docs or GET /openapi.json for the routes of this server',
  },
  address_not_offered: {
    status: 404,
    message: '{path} is an address of {api}, which this server does not have: {reason}',
    remedy: '{instead}',
  },
  method_not_allowed: {
    status: 405,
    message: '{path} does not support {method}',
    remedy: 'use one of the methods in the Allow header',
  },
  not_found: {
    status: 404,
    message: 'no {kind} with id {id}',
    remedy: 'check the id; ids are <kind>_<32 hex digits> and belong to one server',
  },
  name_unknown: {
    status: 404,
    message: 'no {kind} is called {name}',
    remedy: '{remedy}',
  },
  pipeline_unknown: {
    status: 404,
    message: 'no pipeline {id} here',
    remedy: 'use one of: {known}',
  },
  function_not_runnable: {
    status: 400,
    message: 'this server does not run functions: expected pipeline_id, got function_id',
    remedy: 'run a built-in pipeline',
  },
  upload_refused: {
    status: 403,
    message: 'uploading {kind} is not supported: this server does not execute uploaded code',
    remedy: 'run one of the built-in pipelines: {known}',
  },
  backup_elsewhere: {
    status: 409,
    message: 'this server stores its data on a PostgreSQL server',
    remedy: 'back up its database with pg_dump',
  },
  ...REQUEST_ERRORS,
  too_many_runs: {
    status: 429,
    message: 'too many runs are waiting: {waiting} of {limit}',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  rate_limited: {
    status: 429,
    message: 'too many requests: the plan {plan} allows {limit} a minute',
    remedy: 'wait the seconds in the Retry-After header and send the request again, or change to a larger plan',
  },
  concurrency_limited: {
    status: 429,
    message: 'too many runs at once: {running} have not ended and the plan {plan} allows {limit}',
    remedy: 'wait for a run to end and send the request again, or change to a larger plan',
  },
  work_limited: {
    status: 429,
    message: 'the requests of {client} took more than {percent} % of the time of a core',
    remedy: 'wait the seconds in the Retry-After header and send the request again; send fewer or smaller requests',
  },
  too_many_requests_at_once: {
    status: 429,
    message: '{limit} requests of {client} are under way',
    remedy: 'wait for one to end and send the request again',
  },
  too_many_streams: {
    status: 429,
    message: '{limit} streams of this token are open',
    remedy: 'close one and send the request again',
  },
  too_many_bytes_in_flight: {
    status: 503,
    message: 'bodies and replies in flight would exceed {limit} bytes',
    remedy: 'wait the seconds in the Retry-After header and send the request again; read replies as they arrive',
  },
  quota_exceeded: {
    status: 402,
    message:
      'quota of the plan {plan} would be exceeded: {limit} tokens a {period}, {used} used, {reserved} reserved by runs not ended, up to {requested} requested',
    remedy: 'request fewer tokens, wait until {resets_at}, or change to a larger plan',
  },
  plan_required: {
    status: 403,
    message: 'the plan {plan} does not allow this: {reason}',
    remedy: '{remedy}',
  },
  plan_unknown: {
    status: 404,
    message: 'no plan {id} here',
    remedy: 'use one of: {known}',
  },
  plans_refused: {
    status: 400,
    message: '{reason}',
    remedy: 'correct the file and send the request again; until then the earlier plans apply',
  },
  owner_required: {
    status: 403,
    message: 'only an owner of this server may {action}',
    remedy: 'ask an owner, or use a token of an owner with the scope admin',
  },
  webhook_refused: {
    status: 400,
    message: 'the event was refused: {reason}',
    remedy: 'check that the signing secret in the settings is that of this endpoint at the payment provider',
  },
  payment_failed: {
    status: 502,
    message: 'the request to the payment provider failed: {reason}',
    remedy: 'try again later; request_id names the entry in the server log',
  },
  ...GENERATION_ERRORS,
  idempotency_key_reused: {
    status: 409,
    message: 'this Idempotency-Key belongs to run {id}, which was requested with another body',
    remedy: 'use a new key for every new run, and repeat a key only to repeat the same request',
  },
  run_not_ended: {
    status: 409,
    message: 'run {id} has not ended',
    remedy: 'cancel it with POST /v2/runs/{id}/cancel, or wait until it has ended, then delete it',
  },
  tag_taken: {
    status: 409,
    message: 'the pipeline tag {name} already exists',
    remedy: 'assign it to another pipeline with PATCH /v2/pipeline-tags/<id>, or choose another name',
  },
  ...WEBHOOK_ERRORS,
  server_busy: {
    status: 503,
    message: 'the server has too much work of this kind',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  maintenance: {
    status: 503,
    message: '{message}',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  shutting_down: {
    status: 503,
    message: 'the server is shutting down',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  store_unavailable: {
    status: 503,
    message: 'the data store is unavailable: {reason}',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  store_full: {
    status: 507,
    message: 'the disk of the data store is full: the server reads, and stores nothing new',
    remedy: 'wait the seconds in the Retry-After header and send the request again; the operator must free disk space',
  },
  internal: {
    status: 500,
    message: 'internal error',
    remedy: 'give request_id to the operator; it names the entry in the server log',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
