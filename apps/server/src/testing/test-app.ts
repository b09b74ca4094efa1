import { parseGenerateParameters } from '@gptj-cloud/decoding';
import type { Engine } from '@gptj-cloud/engine';
import { GPTJ_6B } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { trace } from '@opentelemetry/api';
import type { Hono } from 'hono';
import type { AppEnv } from '../api/access/app-env.ts';
import { createApp } from '../app.ts';
import { createGenerationService } from '../generation/generation-service.ts';
import { createGptjPipeline } from '../generation/pipelines/gptj-pipeline.ts';
import { createPipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import { createPipelineTags } from '../generation/pipelines/pipeline-tags.ts';
import type { EventStreamOptions } from '../http/sse.ts';
import type { WaitingReplyOptions } from '../http/waiting-reply.ts';
import type { AccountDeps, AccountSettings } from '../identity/account-deps.ts';
import { createKeyFinder, ensureApiKey, type FoundApiKey } from '../identity/api-keys/api-key-store.ts';
import type { MailMessage } from '../identity/mailer.ts';
import type { OAuthProvider } from '../identity/oauth/oauth-provider.ts';
import { createPasswordHasher } from '../identity/sessions/password.ts';
import { updateUser } from '../identity/users/user-store.ts';
import { createBillingService } from '../metering/billing/billing-service.ts';
import { hasActiveSubscription } from '../metering/billing/billing-store.ts';
import { MANUAL_PROVIDER } from '../metering/billing/manual-provider.ts';
import { openPlanBook } from '../metering/plans/plan-book.ts';
import type { Admission } from '../metering/usage/admission.ts';
import { createUsageService } from '../metering/usage/usage-service.ts';
import { RUN_CONTENTS } from '../runs/project-contents-store.ts';
import { createRunService } from '../runs/run-service.ts';
import type { RunLimits } from '../runs/run-worker.ts';
import type { Database, Store } from '../store/db.ts';
import { createLogger } from '../telemetry/logger.ts';
import { observeRuns } from '../telemetry/metrics/observe-runs.ts';
import { createServerMetrics } from '../telemetry/metrics/server-metrics.ts';
import { openWebhooks, type Webhooks } from '../webhooks/webhooks.ts';
import { byteTokenizer, createFakeEngine, type FakeEngine } from './fake-model.ts';
import { createOpenAdmission, type OpenAdmission } from './open-admission.ts';
import { openTestStore } from './test-store.ts';

export const TOKEN = 'test-token-0123456789';
export const NOW = new Date('2026-01-02T03:04:05.678Z');

/** The app on a store in memory and an engine that writes x's. */
export interface TestApp {
  readonly app: Hono<AppEnv>;
  readonly engine: FakeEngine;
  readonly store: Store;
  readonly admission: OpenAdmission;
  readonly webhooks: Webhooks;
  readonly logLines: string[];
  /** What was sent, to people. */
  readonly mails: MailMessage[];
  readonly accounts: AccountDeps;
  /** For tests to change. */
  readonly accountSettings: { -readonly [Name in keyof AccountSettings]: AccountSettings[Name] };
  /** A request with the token. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** The same with a JSON body. */
  post(path: string, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** Of accounts, sessions and tokens. Default: always `NOW`. */
  readonly clock?: () => Date;
  readonly queue?: RunLimits;
  readonly webhookPrivateTargets?: boolean;
  readonly waiting?: WaitingReplyOptions & EventStreamOptions;
  /** Default: keys from the store. */
  readonly findKey?: (token: string) => Promise<FoundApiKey | null>;
  /** Whom else people can sign in with. Default: nobody. */
  readonly providers?: ReadonlyMap<string, OAuthProvider>;
  /** What generates. Default: `engine` of the app. */
  readonly generator?: Engine;
  /** Default: a token a byte. */
  readonly tokenizer?: Tokenizer;
  /** Default: `admission` of the app. */
  readonly openAdmission?: (db: Database) => Promise<Admission>;
}

export async function openTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const store = await openTestStore();
  const { db } = store;
  const engine = createFakeEngine();
  const { generator = engine, tokenizer = byteTokenizer } = options;
  const logLines: string[] = [];
  const clock = (): Date => NOW;
  const logger = createLogger((line) => logLines.push(line), clock);
  const { contextLength, vocabSize, eosTokenId } = GPTJ_6B;
  const parseParameters = (fields: object, promptLength: number, otherNames: readonly string[] = []) =>
    parseGenerateParameters(fields, { contextLength, vocabSize, eosTokenId, promptLength, otherNames });
  const pipeline = createGptjPipeline({ engine: generator, tokenizer, parseParameters });
  const pipelines = createPipelineRegistry([pipeline]);
  const openAdmission = createOpenAdmission();
  const metrics = createServerMetrics();
  const admission = (await options.openAdmission?.(db)) ?? openAdmission;
  const tags = createPipelineTags({ db, clock, pipelines });
  const webhooks = openWebhooks({
    db,
    logger,
    clock,
    allowPrivate: options.webhookPrivateTargets ?? false,
    describeRun: (projectId, id) => runs.find(projectId, id),
  });
  const runs = createRunService({
    db,
    limits: options.queue ?? { running: 2, waiting: 1 },
    pipelines,
    admission,
    logger,
    clock,
    resourceType: 'cpu',
    ownsStore: true,
    findPipeline: (projectId, idOrTag) => tags.resolve(projectId, idOrTag),
    onEnds: (tx, ends) => webhooks.runsEnd(tx, ends),
    onEnded: () => webhooks.runEnded(),
    observer: observeRuns(metrics),
  });
  await runs.start();
  await ensureApiKey(db, TOKEN, NOW);
  const mails: MailMessage[] = [];
  const plans = await openPlanBook(null);
  const accountSettings: TestApp['accountSettings'] = { registration: 'open', requireVerifiedEmail: false };
  const accounts: AccountDeps = {
    db,
    clock: options.clock ?? clock,
    logger,
    mailer: { send: (message) => void mails.push(message), close: async () => undefined },
    // The costs of real ones would make up most of the time that tests take.
    passwords: createPasswordHasher({ n: 16, r: 1, p: 1 }),
    settings: accountSettings,
    plans,
    contents: { ...RUN_CONTENTS, hasActiveSubscription },
    providers: options.providers ?? new Map(),
    publicUrl: () => 'http://test',
  };
  const setPlan = async (tx: Database, userId: string, planId: string, now: Date): Promise<void> => {
    await updateUser(tx, userId, { planId }, now);
  };
  const app = createApp({
    db,
    accounts,
    findKey: options.findKey ?? createKeyFinder(db),
    runs,
    pipelines,
    tags,
    webhooks: webhooks.service,
    logger,
    clock,
    ready: async () => true,
    modelName: 'fake',
    model: { info: generator.info, tokenizer, parseParameters },
    generations: createGenerationService({ engine: generator, admission, logger }),
    billing: createBillingService({ db, plans, provider: MANUAL_PROVIDER, setPlan, clock, logger }),
    usage: createUsageService({ db, plans, clock }),
    maxUploadBytes: 200_000,
    maxJsonBytes: 100_000,
    waiting: options.waiting ?? { patienceMs: 30_000, blankEveryMs: 5_000 },
    observe: { metrics, tracer: trace.getTracer('test'), metricsToken: null },
  });
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${TOKEN}`);
    return await app.request(path, { ...init, headers });
  };
  return {
    app,
    engine,
    store,
    admission: openAdmission,
    webhooks,
    logLines,
    mails,
    accounts,
    accountSettings,
    request,
    post: (path, body) =>
      request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    async close() {
      engine.letGo();
      runs.worker.close();
      await runs.worker.drained;
      await webhooks.close();
      await store.close();
    },
  };
}
