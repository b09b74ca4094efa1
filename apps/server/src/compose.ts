/**
 * Composes the server: creates every service and implements the ports between them. `main.ts` passes the real
 * engine, store and mailer; tests pass fakes. It reads no environment variables and does not listen.
 */
import { capabilitiesOf } from '@gptj-cloud/engine';
import { sql } from 'drizzle-orm';
import type { ModelStoreAdmin } from './api/operator/model-store-routes.ts';
import type { ProcessFacts } from './api/operator/overview-routes.ts';
import { type App, createApp } from './app.ts';
import { composeModels, createReadRunner } from './compose-models.ts';
import { startUpkeep } from './compose-upkeep.ts';
import type { ServerConfig } from './config/parse-config.ts';
import { createEvaluationService } from './evaluations/evaluation-service.ts';
import { createGenerationService, type GenerationService } from './generation/generation-service.ts';
import type { ModelService, ModelSource } from './generation/model-service.ts';
import { noteGenerations } from './generation/note-generations.ts';
import { createGptjPipeline } from './generation/pipelines/gptj-pipeline.ts';
import type { Pipeline } from './generation/pipelines/pipeline.ts';
import { createPipelineRegistry, type PipelineRegistry } from './generation/pipelines/pipeline-registry.ts';
import { createPipelineTags } from './generation/pipelines/pipeline-tags.ts';
import { createPresetService } from './generation/presets/preset-service.ts';
import { createServingService, type ModelOpener, type ModelsElsewhere } from './generation/serving/serving-service.ts';
import type { Site } from './http/dashboard/site.ts';
import type { EventStreamOptions } from './http/event-stream.ts';
import type { WaitingReplyOptions } from './http/waiting-reply.ts';
import type { AccountDeps, AccountSettings } from './identity/account-deps.ts';
import type { AfterReply } from './identity/after-reply.ts';
import type { FoundApiKey } from './identity/api-keys/api-key-store.ts';
import { openKeyFinder } from './identity/api-keys/key-memory.ts';
import type { Mailer } from './identity/mailer.ts';
import type { OAuthProvider } from './identity/oauth/oauth-provider.ts';
import { mailDisabledWebhook } from './identity/projects/mail-disabled-webhook.ts';
import type { PasswordHasher } from './identity/sessions/password.ts';
import { createBillingService } from './metering/billing/billing-service.ts';
import { hasActiveSubscription } from './metering/billing/billing-store.ts';
import type { PaymentProvider } from './metering/billing/payment-provider.ts';
import { createMaintenance } from './metering/maintenance/maintenance.ts';
import type { PlanBook } from './metering/plans/plan-book.ts';
import { createStorageLimits } from './metering/storage/storage-limits.ts';
import type { Admission } from './metering/usage/admission.ts';
import { createLimitsService } from './metering/usage/limits-service.ts';
import { createUsageService } from './metering/usage/usage-service.ts';
import { createReadiness } from './readiness.ts';
import { createRefusalCounts } from './runs/counts/refusal-counts.ts';
import { drainRuns } from './runs/drain-runs.ts';
import { createNodeGenerations } from './runs/nodes/node-generations.ts';
import { createPrefixAffinity } from './runs/nodes/prefix-affinity.ts';
import { RUN_CONTENTS } from './runs/project-contents-store.ts';
import { readBacklogs } from './runs/run-backlog-store.ts';
import { countOpenRunsByState, countOpenRunsOf } from './runs/run-lease-store.ts';
import { createRunQueue } from './runs/run-queue.ts';
import { createRunService, type RunService } from './runs/run-service.ts';
import type { RunTiming } from './runs/run-timing.ts';
import type { Store } from './store/db.ts';
import { readOldestTransactionSeconds } from './store/oldest-transaction.ts';
import { startPolling } from './store/polling.ts';
import type { Logger } from './telemetry/logger.ts';
import { countRuns } from './telemetry/metrics/count-runs.ts';
import { countWebhooks } from './telemetry/metrics/count-webhooks.ts';
import { ENGINE_SAMPLE_MS } from './telemetry/metrics/engine-monitor.ts';
import { type Observation, readAtScrape } from './telemetry/observation.ts';
import type { SendWebhook } from './webhooks/send-webhook.ts';
import { deleteWebhooksOf } from './webhooks/webhook-store.ts';
import { openWebhooks, type Webhooks } from './webhooks/webhooks.ts';
import { createDirectRunner } from './workers/job-runner.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

/** Settings that services read. */
export type ComposeSettings = Pick<
  ServerConfig,
  | 'maxRunningRuns'
  | 'maxWaitingRuns'
  | 'retentionDays'
  | 'auditRetentionDays'
  | 'maxQueueMs'
  | 'prefixAffinity'
  | 'webhookPrivateTargets'
  | 'webhookLimits'
  | 'maxUploadBytes'
  | 'maxJsonBytes'
  | 'parseInlineBytes'
  | 'trustedProxies'
  | 'corsOrigins'
  | 'hstsSeconds'
  | 'metricsToken'
  | 'load'
> & {
  /** No other process uses the store. */
  readonly ownsStore: boolean;
  readonly accounts: AccountSettings;
  readonly waiting: WaitingReplyOptions & EventStreamOptions;
};

export interface ComposeDeps extends ModelSource {
  /** The models beside the first, which is `engine` with its tokenizer. Default: none. */
  readonly otherModels?: readonly ModelSource[];
  readonly store: Store;
  readonly clock: () => Date;
  readonly logger: Logger;
  readonly mailer: Mailer;
  readonly passwords: PasswordHasher;
  readonly afterReply: AfterReply;
  readonly plans: PlanBook;
  readonly paymentProvider: PaymentProvider;
  /** Providers of social sign-in, by name. */
  readonly oauthProviders: ReadonlyMap<string, OAuthProvider>;
  readonly sendWebhook: SendWebhook;
  readonly observation: Pick<Observation, 'metrics' | 'tracer'>;
  /** The base URL of links in mail, without a slash at its end. */
  readonly publicUrl: () => string;
  readonly settings: ComposeSettings;
  readonly admission: Admission;
  readonly process: ProcessFacts;
  readonly modelStore: ModelStoreAdmin;
  /** Opens models while the server runs. */
  readonly opener: ModelOpener;
  /** Finds models of other servers. Default: this server answers for its own alone. */
  readonly elsewhere?: ModelsElsewhere;
  /** A model that an owner added takes requests now, or takes no more. */
  readonly onModelChange?: () => void;
  /** Default true. False: only health, metrics and the other servers of the store are answered. */
  readonly servesApi?: boolean;
  /** Default: only the API answers. */
  readonly site?: Site | null;
  /** Folder of the manual's pages. Default: the reference of the API alone. */
  readonly manualDir?: string | null;
  /** Threads that read large requests. Default: all requests are read on this thread. */
  readonly workers?: WorkerPool;
  /** Default: the keys of the store. */
  readonly findKey?: (token: string) => Promise<FoundApiKey | null>;
  readonly runTiming?: RunTiming;
  /** Where other servers on the store reach this one. Default: they do not. */
  readonly nodeUrl?: () => string | null;
}

/** A composed server that does not listen. */
export interface Composition {
  readonly app: App;
  readonly runs: RunService;
  readonly pipelines: PipelineRegistry;
  readonly generations: GenerationService;
  readonly webhooks: Webhooks;
  readonly accounts: AccountDeps;
  /** Start executing runs. Returns the number of unfinished runs of an earlier process. */
  start(): Promise<number>;
  /**
   * Refuse new work, report not ready, and wait for runs and generations. Those that take longer than the timeout are
   * stopped. A second call returns the promise of the first.
   */
  drain(timeoutMs: number): Promise<void>;
  /**
   * Drain without waiting unless that was done, and close the services; the dependencies stay open. A second call returns
   * the promise of the first.
   */
  close(): Promise<void>;
}

/** Deliveries of webhooks are due. No pipeline has this id. */
const WEBHOOKS_HINT = 'webhooks';

export function compose(deps: ComposeDeps): Composition {
  const { store, clock, logger, plans, settings } = deps;
  const { db } = store;
  const maintenance = createMaintenance({
    db,
    clock,
    isShared: !settings.ownsStore,
    onError: (error) => logger.warn('the state of maintenance could not be read', { error }),
  });
  const admission = maintenance.guard(deps.admission);
  const { metrics, tracer } = deps.observation;
  const affinity = createPrefixAffinity({
    db,
    logger,
    isOn: settings.prefixAffinity && !settings.ownsStore,
    maxEveryMs: deps.runTiming?.pollMs,
    stats: () => models.all.flatMap(({ engine, monitor }) => (engine.stats === undefined ? [] : [monitor.stats()])),
  });
  const models = composeModels({
    sources: [deps, ...(deps.otherModels ?? [])],
    clock,
    observation: deps.observation,
    label: affinity.label,
  });
  const { model, engine } = models.first;
  const jobs =
    deps.workers === undefined
      ? createDirectRunner(model)
      : createReadRunner(model, deps.workers, settings.parseInlineBytes);
  const toPipeline = ({ pipeline: identity, engine: each, model: { tokenizer } }: ModelService): Pipeline =>
    createGptjPipeline({ identity, engine: each, tokenizer, jobs });
  const pipelines = createPipelineRegistry(models.all.map(toPipeline));
  const serving = createServingService({
    db,
    clock,
    logger,
    isShared: !settings.ownsStore,
    opener: deps.opener,
    elsewhere: deps.elsewhere ?? null,
    models: models.all,
    install(source) {
      const service = models.add(source);
      pipelines.add(toPipeline(service));
      if (source.isElsewhere !== true) deps.onModelChange?.();
      return service;
    },
    uninstall({ model: { info }, pipeline, source }) {
      pipelines.remove(pipeline.id);
      models.remove(info.modelName);
      if (source.isElsewhere !== true) deps.onModelChange?.();
    },
    countOpenRuns: (pipelineId) => countOpenRunsOf(db, pipelineId),
  });
  const generations = noteGenerations(
    createGenerationService({
      engineOf: (name) => models.byName(name).engine,
      admission,
      logger,
      maxQueueMs: settings.maxQueueMs,
    }),
  );
  const nodeGenerations = createNodeGenerations({
    engineOf(name) {
      const found = models.find(name);
      // Else two servers might send a generation to each other.
      return found === null || found.source.isElsewhere === true ? null : found.engine;
    },
  });
  const storage = createStorageLimits(plans);
  const tags = createPipelineTags({ db, clock, pipelines, plans });
  // A worker may reach no receivers and knows no address for links.
  const hasUpkeep = async (): Promise<boolean> => (deps.servesApi ?? true) && (await runs.hasUpkeep());
  const webhooks = openWebhooks({
    db,
    maySend: hasUpkeep,
    wakeSender: () => runs.hint(WEBHOOKS_HINT),
    logger,
    clock,
    send: deps.sendWebhook,
    allowPrivate: settings.webhookPrivateTargets,
    limits: settings.webhookLimits,
    observer: countWebhooks(metrics),
    onDisabled: (webhook) => mailDisabledWebhook({ db, mailer: deps.mailer, publicUrl: deps.publicUrl }, webhook),
    describeRun: (projectId, id) => runs.find(projectId, id),
  });
  readAtScrape(metrics, {
    models: models.all,
    countOpenRuns: () => countOpenRunsByState(db),
    async readQueue() {
      const ids = models.all.map(({ pipeline }) => pipeline.id);
      const backlogs = await readBacklogs(db, ids);
      return { backlogs, oldestTransactionSeconds: await readOldestTransactionSeconds(db) };
    },
    countWebhooks: () => webhooks.counts(),
  });
  const runs = createRunService({
    db,
    limits: { running: settings.maxRunningRuns, waiting: settings.maxWaitingRuns },
    pipelines,
    admission,
    plans,
    storage,
    logger,
    clock,
    models: () =>
      models.all
        .filter(({ source }) => deps.isElsewhere === true || source.isElsewhere !== true)
        .map(({ pipeline, hosted }) => ({ pipelineId: pipeline.id, hosted })),
    capabilities: () => (deps.isElsewhere === true ? [] : capabilitiesOf(models.first.engine.info)),
    resourceType: 'cpu',
    ownsStore: settings.ownsStore,
    openSession: settings.ownsStore ? null : store.openSession,
    nodeUrl: deps.nodeUrl ?? (() => null),
    affinity,
    countDirect: () => generations.running + nodeGenerations.running,
    findPipeline: (projectId, idOrTag) => tags.resolve(projectId, idOrTag),
    onHint(text) {
      if (text === WEBHOOKS_HINT) webhooks.wake();
    },
    onRunsEnd: (tx, ends) => webhooks.enqueue(tx, ends),
    observer: countRuns(metrics),
    ...(deps.runTiming === undefined ? {} : { timing: deps.runTiming }),
  });
  const sampling = startPolling(async () => void (await Promise.all(models.all.map((each) => each.monitor.sample()))), {
    everyMs: ENGINE_SAMPLE_MS,
    onError: (error) => logger.warn('the load of the engine could not be read', { error }),
  });
  const refusals = createRefusalCounts({ db, clock, logger });
  const upkeep = startUpkeep({ store, clock, logger, mayWork: hasUpkeep, ...settings });
  const accounts: AccountDeps = {
    db,
    clock,
    logger,
    mailer: deps.mailer,
    passwords: deps.passwords,
    settings: settings.accounts,
    plans,
    contents: { ...RUN_CONTENTS, deleteWebhooks: deleteWebhooksOf, hasActiveSubscription },
    afterReply: deps.afterReply,
    providers: deps.oauthProviders,
    publicUrl: deps.publicUrl,
  };
  const answers = createReadiness(
    [
      { name: 'database', check: async () => await db.execute(sql`SELECT 1`) },
      { name: 'disk', check: () => store.checkDisk() },
      { name: 'engine', check: () => models.check() },
    ],
    logger,
  );
  let draining: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  const app = createApp({
    db,
    accounts,
    findKey: deps.findKey ?? openKeyFinder(store),
    runs,
    pipelines,
    tags,
    storage,
    presets: createPresetService({ db, clock, storage }),
    evaluations: createEvaluationService({ db, clock, storage }),
    webhooks: webhooks.service,
    logger,
    clock,
    maxUploadBytes: settings.maxUploadBytes,
    maxJsonBytes: settings.maxJsonBytes,
    modelName: engine.info.modelName,
    models: models.all,
    model,
    jobs,
    generations,
    nodeGenerations,
    billing: createBillingService({ db, plans, provider: deps.paymentProvider, clock, logger }),
    usage: createUsageService({ db, plans, storage, clock, settled: generations.settled }),
    refusals,
    limits: createLimitsService({ db, plans, storage, clock, settled: generations.settled }),
    waiting: settings.waiting,
    edge: settings,
    load: settings.load,
    store,
    ownsStore: settings.ownsStore,
    servesApi: deps.servesApi ?? true,
    queue: createRunQueue({ db, clock, runs }),
    maintenance,
    serving,
    countWebhooks: () => webhooks.counts(),
    process: deps.process,
    modelStore: deps.modelStore,
    site: deps.site ?? null,
    manualDir: deps.manualDir ?? null,
    observe: { metrics, tracer, metricsToken: settings.metricsToken },
    ready: async () => (draining === undefined ? await answers() : ['shutdown']),
  });
  const drain = (timeoutMs: number): Promise<void> => {
    // At once: its readers learn of the end while the server still listens.
    void deps.modelStore.pulls.close();
    draining ??= Promise.all([
      drainRuns(runs.worker, timeoutMs, logger).then(() => runs.closeStreams()),
      generations.close(timeoutMs),
      nodeGenerations.close(timeoutMs),
      runs.feed.close(),
    ]).then(() => {});
    void runs.node.report();
    return draining;
  };
  return {
    app,
    runs,
    pipelines,
    generations,
    webhooks,
    accounts,
    async start() {
      await Promise.all([maintenance.refresh(), serving.refresh()]);
      return await runs.start();
    },
    drain,
    close() {
      closing ??= (async () => {
        try {
          await drain(0);
        } finally {
          await Promise.all([
            upkeep.close(),
            sampling.stop(),
            maintenance.close(),
            serving.close(),
            refusals.close(),
            webhooks.close(),
            runs.close(),
            deps.modelStore.pulls.close(),
          ]);
        }
      })();
      return closing;
    },
  };
}
