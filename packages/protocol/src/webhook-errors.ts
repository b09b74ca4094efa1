import type { ErrorEntry } from './error-entry.ts';

/** The errors of webhooks, a part of `ERROR_CATALOGUE`. */
export const WEBHOOK_ERRORS = {
  too_many_webhooks: {
    status: 409,
    message: 'a project has at most {limit} webhooks',
    remedy: 'delete one, or subscribe an existing one to more events',
  },
  too_many_replays: {
    status: 429,
    message: 'at most {limit} replays an hour of one {scope}',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  webhook_not_ready: {
    status: 409,
    message: 'the webhook accepts no replay: {reason}',
    remedy: 'enable the webhook with PATCH /v2/webhooks/<id>, or wait until its messages are delivered',
  },
  webhook_target_refused: {
    status: 400,
    message: 'webhooks are not sent to {target}: {reason}',
    remedy:
      'use an http or https address that is reachable from the internet, with port 80, 443 or one above 1023; the operator can allow private addresses',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
