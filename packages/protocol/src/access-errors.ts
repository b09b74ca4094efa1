import type { ErrorEntry } from './error-entry.ts';

/** The part of the catalogue that concerns tokens, sessions, passwords and links. */
export const ACCESS_ERRORS = {
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
  token_replaced: {
    status: 401,
    message: 'this value of the token was replaced, and accepted until {when}',
    remedy: 'use the value that the rotation returned, or rotate the token again',
  },
  token_disabled: {
    status: 401,
    message: 'token is disabled',
    remedy: 'enable it again, or use another token',
  },
  token_of_environment: {
    status: 409,
    message: 'this token is the value of GPTJ_API_TOKEN in the environment of the server',
    remedy: 'change GPTJ_API_TOKEN and start the server again',
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
} as const satisfies Readonly<Record<string, ErrorEntry>>;
