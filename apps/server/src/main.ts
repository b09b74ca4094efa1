/**
 * Starts a server: reads the settings, opens the engine and the store, composes the services, listens, and prints the URL
 * and the first token. No other file names a concrete engine or store.
 */
import { statfs } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Engine, readMachineMemory, spawnEngine } from '@gptj-cloud/engine';
import { adaptersFolder } from '@gptj-cloud/model-store';
import type { DiskSpace, ProcessFacts } from './api/operator/overview-routes.ts';
import { type Composition, compose } from './compose.ts';
import { listSettings } from './config/listed-settings.ts';
import { describeMisspelt } from './config/misspelt-settings.ts';
import { parseConfig, type ServerConfig, type ServerOptions } from './config/parse-config.ts';
import { PAGE_OF_LINK } from './http/dashboard/page-addresses.ts';
import { openSite } from './http/dashboard/site.ts';
import type { EventStreamOptions } from './http/event-stream.ts';
import { listen, READER_WINDOW_MS, timeoutsFor } from './http/listen.ts';
import type { WaitingReplyOptions } from './http/waiting-reply.ts';
import { createAfterReply } from './identity/after-reply.ts';
import { createLogMailer, createSmtpMailer } from './identity/mailer.ts';
import { openOAuthProviders } from './identity/oauth/oauth-providers.ts';
import { createPasswordHasher } from './identity/sessions/password.ts';
import { gatePasswords } from './identity/sessions/password-gate.ts';
import { MANUAL_PROVIDER } from './metering/billing/manual-provider.ts';
import { openStripeProvider } from './metering/billing/stripe-provider.ts';
import { openPlanBook } from './metering/plans/plan-book.ts';
import { servedModelName } from './metering/plans/served-model.ts';
import { openCountedAdmission } from './metering/usage/counted-admission.ts';
import type { Node } from './runs/nodes/node.ts';
import type { RunTiming } from './runs/run-timing.ts';
import { serverVersion } from './server-version.ts';
import { checkParts } from './start/check-parts.ts';
import { describeModel, describeUnloaded } from './start/describe-model.ts';
import { describePlans } from './start/describe-plans.ts';
import { ensureCredentials, printCredentials } from './start/ensure-credentials.ts';
import { describeExposure } from './start/exposure.ts';
import { createFileMailer } from './start/file-mailer.ts';
import { createCredentialKeeper } from './start/first-credentials.ts';
import { NO_LIVE_MODELS } from './start/live-models.ts';
import { createModelRegister } from './start/model-register.ts';
import { announceModelUses } from './start/model-uses.ts';
import { nodeUrl } from './start/node-url.ts';
import { openModelStore } from './start/open-model-store.ts';
import { type ModelStart, openModels, type ServedModel } from './start/open-models.ts';
import { followNodeModels, openNodeModels } from './start/open-node-models.ts';
import { openWorkers } from './start/open-workers.ts';
import { createServedModels } from './start/served-models.ts';
import { createStartDisplay, type ProgressBar } from './start/start-display.ts';
import { watchAdapters } from './start/watch-adapters.ts';
import { lockDataDir } from './store/data-dir-lock.ts';
import { openStore, type Store } from './store/db.ts';
import { openPostgres } from './store/postgres.ts';
import { openStoreClock } from './store/store-clock.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { describeNodeRelease } from './telemetry/node-release.ts';
import { openObservation } from './telemetry/observation.ts';
import { sendWebhook } from './webhooks/send-webhook.ts';
import { within } from './within.ts';

/** External dependencies of a server, which tests replace. */
export interface ServeParts {
  /** `server`: answers the API, and executes runs. `worker`: executes runs alone, for the servers on its database. */
  readonly role: 'server' | 'worker';
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Load the model that the settings name. */
  readonly openModel: (config: ServerConfig, start: ModelStart) => Promise<ServedModel>;
  /** Shows the progress of long steps on a terminal; null: the log does. */
  readonly progressBar: ProgressBar | null;
  /** Ends a start that converts a checkpoint or loads a model. */
  readonly signal: AbortSignal | null;
  /** Prints lines for the operator: the start-up line and, where they are printed, the first credentials. */
  readonly print: (line: string) => void;
  /** Receives the log. */
  readonly log: (line: string) => void;
  /** Whether a person reads: what is printed, and the log. */
  readonly terminal: { readonly print: boolean; readonly log: boolean; readonly colours: boolean };
  readonly clock: () => Date;
  readonly runTiming: RunTiming;
  readonly waiting: WaitingReplyOptions & EventStreamOptions;
  /** Folder of the built dashboard, which need not be there yet; null: only the API answers. */
  readonly dashboardDir: string | null;
  /** Folder of the manual's pages, the project's `docs`; null: only the reference of the API is served. */
  readonly manualDir: string | null;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /**
   * Accept no new request, wait for the runs in flight as long as the configuration says, end the remaining ones as
   * failed, close engine and store. A second call returns the promise of the first.
   */
  close(): Promise<void>;
}

const DEFAULT_PARTS: ServeParts = {
  role: 'server',
  environment: process.env,
  openModel: (config, start) => openModels(config, start, spawnEngine),
  progressBar: null,
  signal: null,
  print: (line) => process.stdout.write(`${line}\n`),
  log: (line) => process.stderr.write(line),
  terminal: { print: process.stdout.isTTY, log: process.stderr.isTTY, colours: process.stderr.isTTY },
  clock: () => new Date(),
  runTiming: {},
  waiting: { headerDelayMs: 1000, spaceIntervalMs: 5000 },
  dashboardDir: null,
  manualDir: null,
};

/** A part that takes longer to close is left to the end of the process. */
const CLOSE_TIMEOUT_MS = 20_000;

/** Registers an opened resource, to be closed in reverse order. */
type Open = <Resource>(resource: Resource, close: (resource: Resource) => Promise<void>) => Resource;

/**
 * Start a server: options override the environment, which overrides defaults. Resolves when it listens.
 *
 * Throws `ConfigError` for settings, `StoreError` for a data folder in use or unusable, and what the engine throws for
 * a model that cannot be loaded. Everything opened until then is closed again.
 */
export async function serve(options: ServerOptions = {}, parts: Partial<ServeParts> = {}): Promise<RunningServer> {
  const given = { ...DEFAULT_PARTS, ...parts };
  const config = parseConfig(given.environment, options);
  const logger = openLogger(config, given);
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    const close = opened.pop();
    if (close === undefined) return;
    try {
      if (!(await within(close(), CLOSE_TIMEOUT_MS))) {
        logger.error('a part of the server did not close in time', { timeout_ms: CLOSE_TIMEOUT_MS });
      }
    } finally {
      // A failed close must not leave the other resources open.
      await closeAll();
    }
  };
  const open: Open = (resource, close) => {
    opened.push(() => close(resource));
    return resource;
  };
  try {
    const startedAt = given.clock();
    const facts: ProcessFacts = {
      version: serverVersion(),
      startedAt,
      settings: listSettings(given.environment, options),
      disk: config.databaseUrl === null ? () => diskSpace(config.dataDir) : null,
    };
    const { composition, ...server } = await start({ config, parts: given, open, facts, logger });
    let closing: Promise<void> | undefined;
    return {
      ...server,
      close: () => {
        // While runs drain the server still listens: new work is refused with 503, and load balancers read /readyz.
        closing ??= (async () => {
          logger.info('draining: new work is refused', { running: composition.runs.worker.running });
          try {
            await composition.drain(config.drainTimeoutMs);
          } finally {
            await closeAll();
            logger.info('stopped');
          }
        })();
        return closing;
      },
    };
  } catch (error) {
    // The reason of a failed start must not give way to that of a part which cannot close either.
    await closeAll().catch((failure: unknown) => logger.error('a part could not be closed', { error: failure }));
    throw error;
  }
}

function openLogger(config: ServerConfig, { log, clock, terminal }: ServeParts): Logger {
  const isText = config.logFormat === 'text' || (config.logFormat === 'auto' && terminal.log);
  return createLogger(log, clock, {
    min: config.logLevel,
    format: isText ? 'text' : 'json',
    colours: terminal.colours,
  });
}

interface Start {
  readonly config: ServerConfig;
  readonly parts: ServeParts;
  readonly open: Open;
  readonly facts: ProcessFacts;
  readonly logger: Logger;
}

async function start(
  given: Start,
): Promise<{ readonly url: string; readonly port: number; readonly composition: Composition }> {
  const { config, parts, open, facts, logger } = given;
  const { print, runTiming, waiting, dashboardDir, manualDir, openModel: loadModel } = parts;
  const { host, dataDir } = config;
  const isServer = parts.role === 'server';
  checkParts(parts.role, config);
  logger.info('starting', {
    role: parts.role,
    version: facts.version,
    node: process.versions.node,
    process_id: process.pid,
    store: config.databaseUrl === null ? 'embedded' : 'postgresql',
    data_dir: dataDir,
  });
  const { registration, publicUrl: fixedUrl } = config.accounts;
  const exposure = isServer ? describeExposure({ ...config, registration, publicUrl: fixedUrl }) : [];
  for (const line of [...describeMisspelt(parts.environment), ...exposure]) logger.warn(line);
  const plans = await openPlanBook(config.plansFile, config.plansKind);
  const paymentProvider =
    config.stripe === null ? MANUAL_PROVIDER : await openStripeProvider({ ...config.stripe, clock: parts.clock });
  const outdated = describeNodeRelease(process.versions.node, parts.clock());
  if (outdated !== null) logger.warn(outdated);
  const ownsStore = config.databaseUrl === null;
  if (ownsStore) open(await lockDataDir(config.dataDir), (lock) => lock.release());
  const observation = open(await openObservation({ ...config, logger }), (each) => each.close());
  const openStoreNow = async () => {
    logger.info('opening the store');
    const store = open(await openDatabase(config, logger), (each) => each.close());
    const clock = ownsStore ? parts.clock : open(await openStoreClock(store.db), (each) => each.close()).now;
    return { store, clock };
  };
  // Workers have registered the models there.
  const storeOfWorkers = config.hasEngine ? null : await openStoreNow();
  const uses = open(await announceModelUses({ config, logger }), (each) => each.close());
  const display = createStartDisplay(logger, parts.progressBar);
  const modelStart: ModelStart = { logger, print, display, signal: parts.signal, onFiles: uses.follow };
  const ofNodes = storeOfWorkers === null ? null : await openNodeModels(storeOfWorkers, modelStart);
  const served = open(ofNodes?.first ?? (await loadModel(config, modelStart)), (model) =>
    Promise.resolve(model.host?.close()).finally(() => model.engine.close()),
  );
  const { engine, live } = served;
  const models = createServedModels(served);
  const { workerModel } = models;
  const workers =
    workerModel === null ? undefined : open(openWorkers(workerModel, config, logger), (each) => each.close());
  const { store, clock } = storeOfWorkers ?? (await openStoreNow());
  const { db } = store;
  const followed =
    !isServer || ownsStore
      ? null
      : (ofNodes?.nodes ?? (await followNodeModels({ db, clock, logger, isOwn: models.isOwn })));
  let node: Node | null = null;
  const register =
    !config.hasEngine || ownsStore
      ? null
      : createModelRegister({ db, served: () => [served, ...models.own], node: () => node });
  await uses.follow(() => models.files);
  await models.connect({ workers, register, uses, nodes: followed, logger });
  const keeper = createCredentialKeeper({
    output: config.printCredentials,
    isTerminal: parts.terminal.print,
    folder: dataDir,
  });
  const { owner, smtpUrl, mailFrom, providers, publicUrl, ...accounts } = config.accounts;
  const mailer = open(
    smtpUrl !== null
      ? createSmtpMailer(smtpUrl, mailFrom, logger)
      : keeper.isPrinted
        ? createLogMailer(logger)
        : createFileMailer({ folder: join(dataDir, 'mail'), clock, logger }),
    (each) => each.close(),
  );
  const admission = open(
    await openCountedAdmission({
      db: store.db,
      plans,
      servedModel: servedModelName(engine.info),
      otherModels: models.planName,
      clock,
      logger,
    }),
    (each) => each.close(),
  );
  const afterReply = open(createAfterReply(logger), (each) => each.close());
  const oauthProviders = await openOAuthProviders(providers);
  if (config.hasEngine) {
    const engines = (): readonly Engine[] => [served, ...models.own].map((each) => each.engine);
    const folder = adaptersFolder(dataDir);
    const checksMemory = config.engineSize.checksMemory !== false;
    const freeBytes = (): number => (checksMemory ? readMachineMemory().freeBytes : Number.POSITIVE_INFINITY);
    const onChange = models.adaptersChanged;
    open(watchAdapters({ folder, engines, onChange, logger, freeBytes }), (watch) => watch.close());
  }
  const modelStore = await openModelStore({ config, uses, environment: parts.environment, clock, logger });
  const site = isServer && config.dashboard && dashboardDir !== null ? openSite(dashboardDir, logger) : null;
  let url = '';
  let otherUrl: string | null = null;
  const composition = open(
    compose({
      ...served,
      otherModels: models.present,
      store,
      clock,
      runTiming,
      logger,
      mailer,
      passwords: gatePasswords(createPasswordHasher(), {
        running: config.maxPasswordChecks,
        waiting: config.maxWaitingPasswordChecks,
      }),
      afterReply,
      plans,
      admission,
      ...(workers === undefined ? {} : { workers }),
      paymentProvider,
      oauthProviders,
      sendWebhook,
      observation,
      process: facts,
      modelStore,
      opener: live ?? NO_LIVE_MODELS,
      ...(followed === null ? {} : { elsewhere: followed }),
      onModelChange: models.register,
      servesApi: isServer,
      site,
      manualDir,
      publicUrl: () => publicUrl ?? url,
      nodeUrl: () => otherUrl,
      settings: { ...config, ownsStore, accounts: { ...accounts, sendsMail: smtpUrl !== null }, waiting },
    }),
    (each) => each.close(),
  );
  const { app } = composition;
  node = composition.runs.node;
  const listener = open(
    await listen((request, peer) => app.fetch(request, { peer }), config, timeoutsFor(config.maxUploadBytes), {
      minBytesPerSecond: config.load.minBytesPerSecond,
      windowMs: READER_WINDOW_MS,
    }),
    (each) => each.close(),
  );
  url = listener.url;
  otherUrl = config.nodeUrl ?? nodeUrl({ host, port: listener.port }, networkInterfaces());
  const unfinished = await composition.start();
  if (unfinished > 0) logger.info('resuming runs of an earlier process', { runs: unfinished });
  if (config.retentionDays > 0) {
    logger.info('old runs, data and files are deleted, first in an hour; RETENTION_DAYS=0 keeps them', {
      retention_days: config.retentionDays,
    });
  }
  const { modelName, quantisation, backend, loadMs } = engine.info;
  logger.info('listening', { url, host, model: modelName, quantisation, backend, load_ms: Math.round(loadMs) });
  if (!isServer) {
    print(`gptj worker executes runs of the servers on its database: ${describeModel(engine.info)}`);
    print(`They reach it at ${otherUrl}`);
    return { url, port: listener.port, composition };
  }
  // Last: if a later step failed, the token would be stored but never shown.
  const page = site === null ? '/v2/auth/set-up' : PAGE_OF_LINK['/v2/auth/set-up'];
  const credentials = await ensureCredentials({
    accounts: composition.accounts,
    apiToken: config.apiToken,
    owner,
    linkOf: (secret) => `${composition.accounts.publicUrl()}${page}#${secret}`,
    keeper,
    logger,
  });

  print(`gptj-cloud listens on ${url}: ${describeModel(engine.info)}`);
  for (const { engine: other } of models.present) print(`Also serves ${describeUnloaded(other.info)}`);
  const planLine = describePlans(plans, servedModelName(engine.info), config.plansKind);
  if (planLine !== null) print(planLine);
  const address = composition.accounts.publicUrl();
  print(site === null ? `Manual: ${address}/docs` : `Dashboard: open ${address} in a browser; manual: ${address}/docs`);
  printCredentials(print, credentials, url);
  return { url, port: listener.port, composition };
}

async function diskSpace(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

async function openDatabase(config: ServerConfig, logger: Logger): Promise<Store> {
  const { databaseUrl, dataDir, databasePoolSize, storeStatementTimeoutMs } = config;
  if (databaseUrl === null) {
    return await openStore(join(dataDir, 'postgres'), {
      statementTimeoutMs: storeStatementTimeoutMs,
      keepsReserve: true,
      logger,
    });
  }
  return await openPostgres(databaseUrl, {
    maxConnections: databasePoolSize,
    statementTimeoutMs: storeStatementTimeoutMs,
    logger,
  });
}
