/**
 * Where everything is built and put together. Nothing else names a concrete engine or store.
 */
import { join } from 'node:path';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { type Engine, openTokenizer, parameterContext, spawnEngine } from '@gptj-cloud/engine';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { sql } from 'drizzle-orm';
import { createApp } from './app.ts';
import { parseConfig, type ServerConfig, type ServerOptions, type StripeConfig } from './config/parse-config.ts';
import { embeddedModelPath } from './embedded-model.ts';
import { createGenerationService } from './generation/generation-service.ts';
import { createGptjPipeline } from './generation/pipelines/gptj-pipeline.ts';
import { createPipelineRegistry } from './generation/pipelines/pipeline-registry.ts';
import { createPipelineTags } from './generation/pipelines/pipeline-tags.ts';
import { listen } from './http/listen.ts';
import type { EventStreamOptions } from './http/sse.ts';
import type { WaitingReplyOptions } from './http/waiting-reply.ts';
import type { AccountDeps } from './identity/account-deps.ts';
import { createKeyFinder, ensureApiKey } from './identity/api-keys/api-key-store.ts';
import { createLogMailer, createSmtpMailer } from './identity/mailer.ts';
import { openOAuthProviders } from './identity/oauth/oauth-providers.ts';
import { createPasswordHasher } from './identity/sessions/password.ts';
import { ensureOwner } from './identity/users/set-up-owner.ts';
import { updateUser } from './identity/users/user-store.ts';
import { createBillingService } from './metering/billing/billing-service.ts';
import { hasActiveSubscription } from './metering/billing/billing-store.ts';
import { MANUAL_PROVIDER } from './metering/billing/manual-provider.ts';
import type { PaymentProvider } from './metering/billing/payment-provider.ts';
import { openStripeProvider } from './metering/billing/stripe-provider.ts';
import { openPlanBook } from './metering/plans/plan-book.ts';
import { servedModelName } from './metering/plans/served-model.ts';
import { openCountedAdmission } from './metering/usage/counted-admission.ts';
import { createUsageService } from './metering/usage/usage-service.ts';
import { RUN_CONTENTS } from './runs/project-contents-store.ts';
import { createRunService, type RunService } from './runs/run-service.ts';
import { createRunSweeper } from './runs/run-sweeper.ts';
import { lockDataDir } from './store/data-dir-lock.ts';
import { openStore } from './store/db.ts';
import { openPostgres } from './store/postgres.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { observeEngine } from './telemetry/metrics/observe-engine.ts';
import { observeRuns } from './telemetry/metrics/observe-runs.ts';
import { openObservation, readAtScrape } from './telemetry/observation.ts';
import { openWebhooks } from './webhooks/webhooks.ts';

/** A loaded model: what runs it, and its tokenizer. */
export interface ServedModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
}

/** For runs to notice that they are stopped. */
const STOP_MS = 5_000;

/** What can be exchanged, by tests foremost. */
export interface ServeParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Load the model that the settings name. */
  readonly openModel: (config: ServerConfig, logger: Logger) => Promise<ServedModel>;
  /** For people: the start-up line and the first token. */
  readonly print: (line: string) => void;
  /** For machines: JSON lines. */
  readonly log: (line: string) => void;
  readonly clock: () => Date;
  readonly waiting: WaitingReplyOptions & EventStreamOptions;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /**
   * Take no new request, wait for the runs in flight as long as the configuration says, end what is left as failed,
   * close engine and store. Idempotent.
   */
  close(): Promise<void>;
}

const DEFAULT_PARTS: ServeParts = {
  environment: process.env,
  openModel,
  print: (line) => process.stdout.write(`${line}\n`),
  log: (line) => process.stderr.write(line),
  clock: () => new Date(),
  waiting: { patienceMs: 1000, blankEveryMs: 5000 },
};

/**
 * Start a server: options win over the environment, which wins over defaults. Resolves when it listens.
 *
 * Throws `ConfigError` for settings, `StoreError` for a data folder in use or unusable, and what the engine throws for
 * a model that cannot be loaded. Everything opened until then is closed again.
 */
export async function serve(options: ServerOptions = {}, parts: Partial<ServeParts> = {}): Promise<RunningServer> {
  const given = { ...DEFAULT_PARTS, ...parts };
  const config = parseConfig(given.environment, options);
  const open: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    const close = open.pop();
    if (close === undefined) return;
    try {
      await close();
    } finally {
      // What cannot be closed must not keep the rest open.
      await closeAll();
    }
  };
  try {
    return await build(config, given, open, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function build(
  config: ServerConfig,
  parts: ServeParts,
  open: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<RunningServer> {
  const { clock } = parts;
  const plans = await openPlanBook(config.plansFile);
  const provider = await openProvider(config.stripe, clock);
  const logger = createLogger(parts.log, clock, config.logLevel);
  if (config.databaseUrl === null) {
    const lock = await lockDataDir(config.dataDir);
    open.push(() => lock.release());
  }
  const observation = await openObservation({ ...config, logger });
  open.push(() => observation.close());
  const { metrics, tracer } = observation;
  const { engine: bareEngine, tokenizer } = await parts.openModel(config, logger);
  open.push(() => bareEngine.close());
  const engine = observeEngine(bareEngine, { metrics, tracer, now: () => performance.now() });
  const store =
    config.databaseUrl === null
      ? await openStore(join(config.dataDir, 'postgres'))
      : await openPostgres(config.databaseUrl, {
          maxConnections: config.databasePoolSize,
          onIdleError: (error) => logger.warn('database connection lost', { error }),
        });
  open.push(() => store.close());
  const { db } = store;
  readAtScrape(metrics, engine, db);

  const parseParameters = parametersFor(engine, tokenizer);
  const pipelines = createPipelineRegistry([createGptjPipeline({ engine, tokenizer, parseParameters })]);
  const admission = await openCountedAdmission({
    db,
    plans,
    servedModel: servedModelName(engine.info),
    clock,
    logger,
  });
  open.push(() => admission.close());
  const generations = createGenerationService({ engine, admission, logger });
  const tags = createPipelineTags({ db, clock, pipelines });
  const webhooks = openWebhooks({
    db,
    logger,
    clock,
    allowPrivate: config.webhookPrivateTargets,
    describeRun: (projectId, id) => runs.find(projectId, id),
  });
  open.push(() => webhooks.close());
  const runs = createRunService({
    db,
    limits: { running: config.maxRunningRuns, waiting: config.maxWaitingRuns },
    pipelines,
    admission,
    logger,
    clock,
    resourceType: 'cpu',
    ownsStore: config.databaseUrl === null,
    findPipeline: (projectId, idOrTag) => tags.resolve(projectId, idOrTag),
    onEnds: (tx, ends) => webhooks.runsEnd(tx, ends),
    onEnded: () => webhooks.runEnded(),
    observer: observeRuns(metrics),
  });
  const sweeper = createRunSweeper({ db, logger, clock, retentionDays: config.retentionDays });
  open.push(() => sweeper.close());
  const { smtpUrl, mailFrom, registration, requireVerifiedEmail } = config.accounts;
  const mailer = smtpUrl === null ? createLogMailer(logger) : createSmtpMailer(smtpUrl, mailFrom, logger);
  open.push(() => mailer.close());
  let url = '';
  const accounts: AccountDeps = {
    db,
    clock,
    logger,
    mailer,
    passwords: createPasswordHasher(),
    settings: { registration, requireVerifiedEmail },
    plans,
    contents: { ...RUN_CONTENTS, hasActiveSubscription },
    providers: await openOAuthProviders(config.accounts.providers),
    publicUrl: () => config.accounts.publicUrl ?? url,
  };

  let closing: Promise<void> | undefined;
  const app = createApp({
    db,
    accounts,
    findKey: createKeyFinder(db),
    runs,
    pipelines,
    tags,
    webhooks: webhooks.service,
    logger,
    clock,
    maxUploadBytes: config.maxUploadBytes,
    maxJsonBytes: config.maxJsonBytes,
    modelName: engine.info.modelName,
    model: { info: engine.info, tokenizer, parseParameters },
    generations,
    billing: createBillingService({
      db,
      plans,
      provider,
      setPlan: async (tx, userId, planId, now) => {
        await updateUser(tx, userId, { planId }, now);
      },
      clock,
      logger,
    }),
    usage: createUsageService({ db, plans, clock }),
    waiting: parts.waiting,
    edge: config,
    dump: store.dump,
    observe: { metrics, tracer, metricsToken: config.metricsToken },
    ready: async () =>
      closing === undefined && (await answers(() => Promise.all([db.execute(sql`SELECT 1`), engine.stats?.()]))),
  });
  const listener = await listen((request, peer) => app.fetch(request, { peer }), config);
  open.push(() => listener.close());
  url = listener.url;
  const left = await runs.start();
  if (left > 0) logger.info('runs of an earlier start go on', { runs: left });
  // Last: a token made by a start that then fails would never be shown.
  const firstToken = await ensureApiKey(db, config.apiToken, clock());
  const setUpToken = await ensureOwner(accounts, config.accounts.owner);

  const { info } = engine;
  parts.print(
    `gptj-cloud listens on ${listener.url}: ${info.modelName}, ${info.quantisation}, loaded in ${(info.loadMs / 1000).toFixed(1)} s`,
  );
  if (firstToken !== null) printToken(parts.print, firstToken, listener.url);
  if (setUpToken !== null) {
    parts.print(
      `Set up the owner's account (once, within a day): ${accounts.publicUrl()}/v2/auth/set-up#${setUpToken}`,
    );
  }
  return {
    url: listener.url,
    port: listener.port,
    close: () => {
      closing ??= (async () => {
        // Until what runs has ended, new work is refused in words, and whoever balances load learns it from /readyz.
        await Promise.all([drain(runs, config.drainTimeoutMs, logger), generations.close(config.drainTimeoutMs)]);
        await closeAll();
      })();
      return closing;
    },
  };
}

/**
 * Let the runs end that somebody waits for, and those that are being executed. What takes longer than allowed is
 * stopped: awaited runs are stored as failed, the others go on after the next start.
 */
async function drain({ worker }: RunService, timeoutMs: number, logger: Logger): Promise<void> {
  worker.close();
  if (await within(worker.drained, timeoutMs)) return;
  logger.warn('stopping runs that took longer than the drain timeout', { runs: worker.running });
  await worker.stop();
  // A run that does not even stop is begun again by the next start.
  if (!(await within(worker.drained, STOP_MS))) logger.error('runs did not stop', { runs: worker.running });
}

async function within(event: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const came = await Promise.race([event.then(() => true), late]);
  clearTimeout(timer);
  return came;
}

async function openProvider(stripe: StripeConfig | null, clock: () => Date): Promise<PaymentProvider> {
  return stripe === null ? MANUAL_PROVIDER : await openStripeProvider({ ...stripe, clock });
}

function parametersFor({ info }: Engine, tokenizer: Tokenizer) {
  // No list of words in a parameter is longer than the context; reading on would only take time.
  const encodeText = (text: string) => tokenizer.encode(text, { limit: info.config.contextLength });
  return (fields: object, promptLength: number, otherNames: readonly string[] = []) =>
    parseGenerateParameters(fields, { ...parameterContext(info, promptLength, encodeText), otherNames });
}

async function openModel({ modelPath, dataDir, prefixCacheBytes }: ServerConfig, logger: Logger): Promise<ServedModel> {
  const path = modelPath ?? (await embeddedModelPath());
  const tokenizer = await openTokenizer(path);
  const persistedPrefixes = { folder: join(dataDir, 'prefixes'), maxBytes: prefixCacheBytes };
  const engine = await spawnEngine({
    path,
    ...(prefixCacheBytes === 0 ? {} : { persistedPrefixes }),
    onWarning: (message) => logger.warn(message),
    onRestart: (reason) => logger.error('engine process ended; starting it again', { reason }),
  });
  return { engine, tokenizer };
}

function printToken(print: (line: string) => void, token: string, url: string): void {
  const body = {
    pipeline_id: GPTJ_PIPELINE_ID,
    data: ['I met a traveller from an antique land, who said', { response_length: 64, remove_input: false }],
  };
  print(`API token: ${token}`);
  print('It is shown this once; only its hash is kept. Try it:');
  print(
    `curl ${url}/v2/runs -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`,
  );
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    return false;
  }
}
