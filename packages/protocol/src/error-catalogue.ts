/** One error: its HTTP status, its message with `{placeholders}`, and the remedy for the caller. */
export interface ErrorEntry {
  readonly status: number;
  readonly message: string;
  readonly remedy: string;
}

/**
 * Every error the server answers with. A POST must not reply 422 with a message for the user: the 2022 clients turn
 * that status into InvalidSchema without reading the body.
 */
export const ERROR_CATALOGUE = {
  token_missing: {
    status: 401,
    message: 'token not provided',
    remedy: 'send the header "Authorization: Bearer <token>"; the server printed the first token when it first started',
  },
  token_unknown: {
    status: 401,
    message: 'unknown API token',
    remedy: 'check the token (clients read PIPELINE_API_TOKEN) and the server it belongs to (PIPELINE_API_URL)',
  },
  token_expired: {
    status: 401,
    message: 'token expired {when}',
    remedy: 'create a new token, or set a later expires_at',
  },
  token_disabled: {
    status: 401,
    message: 'token is disabled',
    remedy: 'enable it again, or use another token',
  },
  scope_missing: {
    status: 403,
    message: 'the token lacks a scope: expected {expected}, got {got}',
    remedy: 'use a token that has the scope',
  },
  project_owner_required: {
    status: 403,
    message: 'expected an owner of the project',
    remedy: 'ask one of its owners',
  },
  session_required: {
    status: 403,
    message: 'expected a signed-in session, got an API token',
    remedy: 'sign in with POST /v2/auth/login',
  },
  session_ended: {
    status: 401,
    message: 'session has ended',
    remedy: 'sign in again',
  },
  csrf_token_wrong: {
    status: 403,
    message: "expected the session's csrf_token in the header X-CSRF-Token, got {got}",
    remedy: 'read csrf_token from GET /v2/auth/session and send it with every write',
  },
  sign_in_failed: {
    status: 401,
    message: 'login or password is wrong',
    remedy: 'check both; POST /v2/auth/forgot-password sends a link to set a new password',
  },
  code_required: {
    status: 401,
    message: 'a two-factor code is needed',
    remedy: 'send the code of the authenticator app, or a recovery code, as code',
  },
  code_wrong: {
    status: 401,
    message: 'two-factor code is wrong or was used before',
    remedy: 'send the next code that the authenticator app shows',
  },
  password_wrong: {
    status: 403,
    message: 'password is wrong',
    remedy: 'send the current password of this account',
  },
  confirmation_required: {
    status: 403,
    message: 'expected a recent confirmation that the user is there in person',
    remedy:
      'send the password to POST /v2/auth/confirm in this session, or with the request, percent-encoded, as X-Confirm-Password (and the two-factor code as X-Confirm-Code)',
  },
  password_not_set: {
    status: 409,
    message: 'this account has no password, and this request needs one',
    remedy: 'set one with the link that POST /v2/auth/forgot-password sends',
  },
  account_disabled: {
    status: 403,
    message: 'this account is disabled',
    remedy: 'ask an owner of the server to enable it again',
  },
  oauth_state_invalid: {
    status: 400,
    message: 'this sign-in was started in another browser, is already completed, or has expired',
    remedy: 'start the sign-in again',
  },
  oauth_embedded: {
    status: 403,
    message: 'a sign-in begins with a page that the browser opens, got a request for: {place}',
    remedy: 'link to this address, or open it in a window',
  },
  oauth_failed: {
    status: 400,
    message: 'sign-in with {provider} failed: {reason}',
    remedy: 'start the sign-in again; if that does not help, request_id names the entry in the server log',
  },
  oauth_unavailable: {
    status: 502,
    message: '{provider} cannot be reached',
    remedy: 'try again later; request_id names the entry in the server log',
  },
  oauth_email_unverified: {
    status: 403,
    message: '{provider} reports no verified e-mail address',
    remedy: 'verify the address at {provider}; or register here with a password, and link {provider} to that account',
  },
  oauth_address_taken: {
    status: 409,
    message: 'an account on this server already has the e-mail address from {provider}; it is not linked automatically',
    remedy:
      'sign in with the password of that account (POST /v2/auth/forgot-password sends a link to set one) and link {provider} to it',
  },
  too_many_attempts: {
    status: 429,
    message: 'too many attempts; further attempts are refused for now',
    remedy: 'wait the seconds in the Retry-After header and try again',
  },
  password_checks_busy: {
    status: 503,
    message: 'the server is checking as many passwords as it can',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  link_invalid: {
    status: 400,
    message: 'the link has been used or replaced, or has expired',
    remedy: 'request a new one',
  },
  registration_closed: {
    status: 403,
    message: 'this server accepts no registrations{unless}',
    remedy: 'ask an owner of a project on this server to invite that address',
  },
  email_unverified: {
    status: 403,
    message: 'e-mail address is not verified yet',
    remedy: 'follow the mailed link, or request another with POST /v2/auth/verify-email/send',
  },
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
  invalid_json: {
    status: 400,
    message: 'body is not valid JSON: {reason}',
    remedy: 'send one JSON object in UTF-8',
  },
  invalid_request: {
    status: 400,
    message: '{count} in request: {summary}',
    remedy: 'correct the parameters listed in errors',
  },
  invalid_multipart: {
    status: 400,
    message: 'body is not valid multipart/form-data: {reason}',
    remedy: 'send the parts that the route expects, with the boundary given in Content-Type',
  },
  unsupported_media_type: {
    status: 415,
    message: 'expected Content-Type {expected}, got {got}',
    remedy: 'send the body in the expected format',
  },
  encoding_refused: {
    status: 415,
    message: 'expected a body without Content-Encoding, got {got}',
    remedy: 'send the body as it is, not compressed',
  },
  invalid_hex: {
    status: 400,
    message: 'the file is not hexadecimal: {reason}',
    remedy: 'send the hex digits of the bytes, two for each byte',
  },
  invalid_pickle: {
    status: 400,
    message: 'data cannot be read: {reason}',
    remedy:
      'send strings, numbers, booleans, None, lists, tuples and dicts with string keys; objects of classes are refused',
  },
  invalid_input: {
    status: 400,
    message: '{reason}',
    remedy: 'correct the input of the run and send it again',
  },
  invalid_parameter: {
    status: 400,
    message: '{reason}',
    remedy: 'correct the parameters that the message names and send the request again',
  },
  url_too_long: {
    status: 414,
    message: 'the {part} of the address is too long: expected at most {limit} bytes, got {got}',
    remedy: 'shorten it; no setting raises this limit',
  },
  control_character: {
    status: 400,
    message: '{place} contains the control character {got}',
    remedy: 'remove it',
  },
  body_too_large: {
    status: 413,
    message: 'body is too large: expected at most {limit} bytes',
    remedy: 'send less, or ask the operator to raise the limit',
  },
  body_incomplete: {
    status: 400,
    message: 'the body was incomplete or arrived too slowly',
    remedy: 'send the request again',
  },
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
  quota_exceeded: {
    status: 402,
    message:
      'quota of the plan {plan} would be exceeded: {limit} tokens a {period}, {used} used, {reserved} reserved by runs not ended, up to {requested} requested',
    remedy: 'request fewer tokens, wait until {resets_at}, or change to a larger plan',
  },
  storage_full: {
    status: 413,
    message: 'storage of the plan {plan} is full: {limit} {what}, {used} used, {requested} more requested',
    remedy:
      'delete runs (DELETE /v2/runs/:id deletes input and result as well), files and data that are no longer needed, or change to a larger plan; GET /v2/storage shows what is used',
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
  model_unknown: {
    status: 404,
    message: 'no model {model} here',
    remedy: 'use one of: {known}',
  },
  generation_too_large: {
    status: 400,
    message: '{reason}',
    remedy: 'request fewer tokens, sequences or beams, or shorten the prompt',
  },
  decoding_too_costly: {
    status: 400,
    message: '{reason}',
    remedy: 'docs/generate.md lists the limits of the decoder',
  },
  engine_failed: {
    status: 503,
    message: 'the model stopped during the generation: {reason}',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
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
  too_many_webhooks: {
    status: 409,
    message: 'a project has at most {limit} webhooks',
    remedy: 'delete one, or subscribe an existing one to more events',
  },
  webhook_target_refused: {
    status: 400,
    message: 'webhooks are not sent to {target}: {reason}',
    remedy: 'use an http or https address that is reachable from the internet; the operator can allow private ones',
  },
  server_busy: {
    status: 503,
    message: 'the server has too much work of this kind',
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
