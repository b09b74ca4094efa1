import type { Engine } from '@gptj-cloud/engine';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { App } from '../app.ts';
import { type ComposeDeps, type ComposeSettings, type Composition, compose } from '../compose.ts';
import type { AccountDeps, AccountSettings } from '../identity/account-deps.ts';
import { ensureApiKey } from '../identity/api-keys/api-key-store.ts';
import type { MailMessage } from '../identity/mailer.ts';
import { openPlanBook } from '../metering/plans/plan-book.ts';
import type { Admission } from '../metering/usage/admission.ts';
import type { RunLimits } from '../runs/run-timing.ts';
import type { Database, Store } from '../store/db.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { createFakeDeps, TEST_SETTINGS } from './fake-deps.ts';
import { byteTokenizer, createFakeEngine, type FakeEngine } from './fake-model.ts';
import { createOpenAdmission, type OpenAdmission } from './open-admission.ts';
import { openTestStore } from './test-store.ts';

export const TOKEN = 'test-token-0123456789';
export const NOW = new Date('2026-01-02T03:04:05.678Z');

/** The composed server on a store in memory, with an engine that generates the letter x. */
export interface TestApp {
  readonly app: App;
  readonly engine: FakeEngine;
  readonly store: Store;
  readonly admission: OpenAdmission;
  readonly runs: Composition['runs'];
  readonly webhooks: Webhooks;
  readonly logLines: string[];
  /** Messages given to the mailer. */
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

export interface TestAppOptions
  extends Partial<
    Pick<
      ComposeDeps,
      | 'hosted'
      | 'otherModels'
      | 'findKey'
      | 'oauthProviders'
      | 'passwords'
      | 'afterReply'
      | 'site'
      | 'manualDir'
      | 'modelStore'
      | 'opener'
    >
  > {
  /** Default: always `NOW`. */
  readonly clock?: () => Date;
  readonly queue?: RunLimits;
  readonly webhookPrivateTargets?: boolean;
  readonly trustedProxies?: readonly string[];
  /** Default: no limits on load. */
  readonly load?: ComposeSettings['load'];
  readonly waiting?: ComposeSettings['waiting'];
  readonly maxUploadBytes?: number;
  /** The engine that generates. Default: `engine` of the app. */
  readonly generator?: Engine;
  /** Default: one token for each byte. */
  readonly tokenizer?: Tokenizer;
  /** A store that the test closes. Default: one of the app. */
  readonly store?: Store;
  /** Default: `admission` of the app. */
  readonly openAdmission?: (db: Database) => Promise<Admission>;
}

export async function openTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const store = options.store ?? (await openTestStore());
  const { db } = store;
  const engine = createFakeEngine();
  const openAdmission = createOpenAdmission();
  const admission = (await options.openAdmission?.(db)) ?? openAdmission;
  const accountSettings: TestApp['accountSettings'] = { ...TEST_SETTINGS.accounts };
  const { queue, clock = () => NOW, findKey, passwords, afterReply, site = null, manualDir = null } = options;
  const { deps, logLines, mails } = createFakeDeps(clock);
  const plans = await openPlanBook(null);
  const composition = compose({
    ...deps,
    plans,
    store,
    engine: options.generator ?? engine,
    otherModels: options.otherModels ?? [],
    ...(options.hosted === undefined ? {} : { hosted: options.hosted }),
    tokenizer: options.tokenizer ?? byteTokenizer,
    admission,
    site,
    manualDir,
    oauthProviders: options.oauthProviders ?? new Map(),
    ...(findKey === undefined ? {} : { findKey }),
    ...(passwords === undefined ? {} : { passwords }),
    ...(afterReply === undefined ? {} : { afterReply }),
    ...(options.modelStore === undefined ? {} : { modelStore: options.modelStore }),
    ...(options.opener === undefined ? {} : { opener: options.opener }),
    settings: {
      ...TEST_SETTINGS,
      ...(queue === undefined ? {} : { maxRunningRuns: queue.running, maxWaitingRuns: queue.waiting }),
      webhookPrivateTargets: options.webhookPrivateTargets ?? false,
      accounts: accountSettings,
      load: options.load ?? TEST_SETTINGS.load,
      trustedProxies: options.trustedProxies ?? TEST_SETTINGS.trustedProxies,
      waiting: options.waiting ?? TEST_SETTINGS.waiting,
      maxUploadBytes: options.maxUploadBytes ?? TEST_SETTINGS.maxUploadBytes,
    },
  });
  await composition.start();
  await ensureApiKey(db, { environmentToken: TOKEN, now: NOW });
  const { app, runs, webhooks, accounts } = composition;
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
    runs,
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
      engine.resume();
      await composition.drain(TEST_DRAIN_MS);
      await composition.close();
      if (options.store === undefined) await store.close();
    },
  };
}

/** Runs end at once when their engine is let go; a test that leaves one open reaches its own time limit. */
const TEST_DRAIN_MS = 30_000;
