/** The settings of webhooks: their limits and the addresses they may go to. */
import type { WebhookLimits } from '../webhooks/webhook-limits.ts';
import { integerSetting, switchSetting } from './setting.ts';

const group = 'Webhooks';

export const webhookSettings = {
  WEBHOOK_PRIVATE_TARGETS: switchSetting({
    group,
    help: 'allow webhooks to private networks and to this machine',
  }),
  WEBHOOK_CONNECT_TIMEOUT_SECONDS: integerSetting({
    group,
    help: 'time to resolve the name of a receiver and connect to it',
    fallback: 3,
    min: 1,
    max: 60,
  }),
  WEBHOOK_TIMEOUT_SECONDS: integerSetting({
    group,
    help: 'time until a receiver has replied',
    fallback: 10,
    min: 1,
    max: 120,
  }),
  WEBHOOK_CONCURRENCY: integerSetting({
    group,
    help: 'messages that are sent at the same time; receivers whose last attempt failed, or that have not replied yet, get half of it together and one each',
    fallback: 32,
    min: 1,
    max: 1024,
  }),
  WEBHOOK_CONCURRENCY_PER_PROJECT: integerSetting({
    group,
    help: 'messages of one project that are sent at the same time',
    fallback: 4,
    min: 1,
    max: 1024,
  }),
  WEBHOOK_CONCURRENCY_PER_HOST: integerSetting({
    group,
    help: 'messages to one host and port that are sent at the same time',
    fallback: 8,
    min: 1,
    max: 1024,
  }),
  WEBHOOK_BREAKER_FAILURES: integerSetting({
    group,
    help: 'attempts in a row without a reply, or with status 429 or 5xx, after which a project pauses a receiver',
    fallback: 3,
    min: 1,
    max: 1000,
  }),
  WEBHOOK_BREAKER_SECONDS: integerSetting({
    group,
    help: 'first pause of such a receiver; one message tries it then, and each failure doubles the pause',
    fallback: 30,
    min: 1,
    max: 3600,
  }),
  WEBHOOK_BREAKER_MAX_SECONDS: integerSetting({
    group,
    help: 'longest pause of such a receiver',
    fallback: 900,
    min: 1,
    max: 86_400,
  }),
  WEBHOOK_DISABLE_DAYS: integerSetting({
    group,
    help: 'days of failure after which a webhook is disabled; 0 never disables one',
    fallback: 5,
    min: 0,
    max: 365,
  }),
  WEBHOOK_DISABLE_ATTEMPTS: integerSetting({
    group,
    help: 'failed attempts that a webhook needs, besides the days, to be disabled',
    fallback: 10,
    min: 1,
    max: 10_000,
  }),
  WEBHOOK_MAX_PENDING: integerSetting({
    group,
    help: 'messages of one webhook that wait; further ones are recorded as failed and can be replayed',
    fallback: 1000,
    min: 1,
    max: 100_000,
  }),
  WEBHOOK_MAX_AGE_HOURS: integerSetting({
    group,
    help: 'hours after which a waiting message has failed',
    fallback: 24,
    min: 1,
    max: 8760,
  }),
  WEBHOOK_MAX_KEPT: integerSetting({
    group,
    help: 'deliveries of one webhook that are kept as its log',
    fallback: 1000,
    min: 10,
    max: 100_000,
  }),
  WEBHOOK_REPLAYS_PER_HOUR: integerSetting({
    group,
    help: 'replays of one webhook in an hour; further ones are refused with 429',
    fallback: 30,
    min: 0,
    max: 1_000_000,
  }),
  WEBHOOK_PROJECT_REPLAYS_PER_HOUR: integerSetting({
    group,
    help: 'replays of all webhooks of a project in an hour',
    fallback: 100,
    min: 0,
    max: 1_000_000,
  }),
};

type WebhookSettings = {
  readonly [Name in keyof typeof webhookSettings]: (typeof webhookSettings)[Name]['_zod']['output'];
};

/** In the units that the code uses. */
export function toWebhookLimits(settings: WebhookSettings): WebhookLimits {
  return {
    connectTimeoutMs: settings.WEBHOOK_CONNECT_TIMEOUT_SECONDS * 1000,
    timeoutMs: settings.WEBHOOK_TIMEOUT_SECONDS * 1000,
    concurrency: settings.WEBHOOK_CONCURRENCY,
    concurrencyPerProject: settings.WEBHOOK_CONCURRENCY_PER_PROJECT,
    concurrencyPerHost: settings.WEBHOOK_CONCURRENCY_PER_HOST,
    breakerFailures: settings.WEBHOOK_BREAKER_FAILURES,
    breakerPauseMs: settings.WEBHOOK_BREAKER_SECONDS * 1000,
    breakerMaxPauseMs: settings.WEBHOOK_BREAKER_MAX_SECONDS * 1000,
    disableAfterMs: settings.WEBHOOK_DISABLE_DAYS * 86_400_000,
    disableAfterAttempts: settings.WEBHOOK_DISABLE_ATTEMPTS,
    maxPending: settings.WEBHOOK_MAX_PENDING,
    maxAgeMs: settings.WEBHOOK_MAX_AGE_HOURS * 3_600_000,
    maxKept: settings.WEBHOOK_MAX_KEPT,
    replaysPerHour: settings.WEBHOOK_REPLAYS_PER_HOUR,
    projectReplaysPerHour: settings.WEBHOOK_PROJECT_REPLAYS_PER_HOUR,
  };
}
