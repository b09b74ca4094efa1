import { ModelStoreError } from '@gptj-cloud/model-store';
import { trace } from '@opentelemetry/api';
import type { ComposeDeps, ComposeSettings } from '../compose.ts';
import type { MailMessage } from '../identity/mailer.ts';
import { createPasswordHasher } from '../identity/sessions/password.ts';
import { MANUAL_PROVIDER } from '../metering/billing/manual-provider.ts';
import { NO_LIVE_MODELS } from '../start/live-models.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createServerMetrics } from '../telemetry/metrics/server-metrics.ts';
import { sendWebhook } from '../webhooks/send-webhook.ts';
import { NO_LIMITS } from './no-limits.ts';
import { TEST_WEBHOOK_LIMITS } from './webhook-limits.ts';

/** Settings with a queue that is small enough for a test to fill. */
export const TEST_SETTINGS: ComposeSettings = {
  maxRunningRuns: 2,
  maxWaitingRuns: 1,
  retentionDays: 0,
  auditRetentionDays: 0,
  maxQueueMs: null,
  prefixAffinity: true,
  webhookPrivateTargets: false,
  webhookLimits: TEST_WEBHOOK_LIMITS,
  maxUploadBytes: 200_000,
  maxJsonBytes: 100_000,
  parseInlineBytes: 16_384,
  trustedProxies: [],
  corsOrigins: [],
  hstsSeconds: 0,
  metricsToken: null,
  load: NO_LIMITS,
  ownsStore: true,
  accounts: { registration: 'open', requireVerifiedEmail: false, sendsMail: false, confirmationMs: 15 * 60_000 },
  waiting: { headerDelayMs: 30_000, spaceIntervalMs: 5_000 },
};

/** Dependencies of `compose` that record log lines and mails for the test. */
export interface FakeDeps {
  readonly deps: Omit<ComposeDeps, 'engine' | 'tokenizer' | 'store' | 'admission' | 'plans'>;
  readonly logLines: string[];
  /** Messages given to the mailer. */
  readonly mails: MailMessage[];
}

export function createFakeDeps(clock: () => Date): FakeDeps {
  const logLines: string[] = [];
  const mails: MailMessage[] = [];
  return {
    logLines,
    mails,
    deps: {
      clock,
      logger: createLogger((line) => logLines.push(line), clock),
      mailer: { send: (message) => void mails.push(message), close: async () => undefined },
      // With real costs, hashing would take most of the time of the tests.
      passwords: createPasswordHasher({ n: 16, r: 1, p: 1 }),
      // Before the reply, so that a test sees the effects.
      afterReply: { add: (work) => work(), close: async () => undefined },
      paymentProvider: MANUAL_PROVIDER,
      oauthProviders: new Map(),
      sendWebhook,
      observation: { metrics: createServerMetrics(), tracer: trace.getTracer('test') },
      process: { version: '0', startedAt: new Date(0), settings: [], disk: null },
      modelStore: noModels(),
      opener: NO_LIVE_MODELS,
      publicUrl: () => 'http://test',
      settings: TEST_SETTINGS,
    },
  };
}

/** An empty data folder whose hub is not reachable. */
function noModels(): ComposeDeps['modelStore'] {
  const refuse = (): never => {
    throw new ModelStoreError('not_found', 'no hub in tests');
  };
  return {
    list: async () => [],
    served: async () => [],
    remove: async () => refuse(),
    disk: async () => ({ freeBytes: 0, totalBytes: 0 }),
    pulls: {
      list: () => [],
      get: () => null,
      start: refuse,
      cancel: async () => null,
      watch: () => null,
      close: async () => {},
    },
  };
}
