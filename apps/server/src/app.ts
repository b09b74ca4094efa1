import type { Tracer } from '@opentelemetry/api';
import { Hono } from 'hono';
import { type ApiRoute, READ_OR_WRITE, scope } from './api/access/access.ts';
import { createGuard, type Guard } from './api/access/guard.ts';
import { accountRoutes } from './api/account/account-routes.ts';
import { limitsRoutes } from './api/account/limits-routes.ts';
import { memberRoutes } from './api/account/member-routes.ts';
import { oauthRoutes } from './api/account/oauth-routes.ts';
import { planRoutes } from './api/account/plan-routes.ts';
import { projectRoutes } from './api/account/project-routes.ts';
import { securityRoutes } from './api/account/security-routes.ts';
import { sessionRoutes } from './api/account/session-routes.ts';
import { tokenRoutes } from './api/account/token-routes.ts';
import { usageRoutes } from './api/account/usage-routes.ts';
import { userRoutes } from './api/account/user-routes.ts';
import { pipelineCloudErrors } from './api/error-dialects.ts';
import { generationRoute } from './api/internal/generation-route.ts';
import { nodeRoutes } from './api/internal/node-routes.ts';
import { meshRoutes } from './api/mesh/mesh-routes.ts';
import { openAiRoutes } from './api/openai/openai-routes.ts';
import { adminRoutes } from './api/operator/admin-routes.ts';
import { engineRoutes } from './api/operator/engine-routes.ts';
import { metricsRoutes } from './api/operator/metrics-routes.ts';
import { modelServingRoutes } from './api/operator/model-serving-routes.ts';
import { type ModelStoreAdmin, modelStoreRoutes } from './api/operator/model-store-routes.ts';
import { overviewRoutes, type ProcessFacts } from './api/operator/overview-routes.ts';
import { referenceRoutes } from './api/operator/reference-routes.ts';
import { serverRoutes } from './api/operator/server-routes.ts';
import { statusRoutes } from './api/operator/status-routes.ts';
import { otherApiRoutes } from './api/other-apis/other-api-routes.ts';
import { dataRoutes } from './api/pipeline-cloud/data-routes.ts';
import { evaluationRoutes } from './api/pipeline-cloud/evaluation-routes.ts';
import { fileRoutes } from './api/pipeline-cloud/file-routes.ts';
import { pipelineRoutes } from './api/pipeline-cloud/pipeline-routes.ts';
import { presetRoutes } from './api/pipeline-cloud/preset-routes.ts';
import { runMetricsRoutes } from './api/pipeline-cloud/run-metrics-routes.ts';
import { runRoutes } from './api/pipeline-cloud/run-routes.ts';
import { tagRoutes } from './api/pipeline-cloud/tag-routes.ts';
import { tokenizeRoutes } from './api/pipeline-cloud/tokenize-routes.ts';
import { webhookRoutes } from './api/pipeline-cloud/webhook-routes.ts';
import { huggingFaceRoutes } from './api/tgi/tgi-routes.ts';
import { recordAudit } from './audit/audit-log.ts';
import type { EvaluationService } from './evaluations/evaluation-service.ts';
import type { GenerationService } from './generation/generation-service.ts';
import type { ModelService } from './generation/model-service.ts';
import type { PipelineRegistry } from './generation/pipelines/pipeline-registry.ts';
import type { PipelineTags } from './generation/pipelines/pipeline-tags.ts';
import type { PresetService } from './generation/presets/preset-service.ts';
import type { ServingService } from './generation/serving/serving-service.ts';
import type { TextModel } from './generation/text-model.ts';
import { serveDashboard } from './http/dashboard/serve-dashboard.ts';
import type { Site } from './http/dashboard/site.ts';
import { errorReply } from './http/error-reply.ts';
import type { EventStreamOptions } from './http/event-stream.ts';
import type { HttpEnv } from './http/http-env.ts';
import type { LoadLimits } from './http/load/load-limits.ts';
import { createLoadControl } from './http/load/request-load.ts';
import { clientAddress } from './http/middleware/client-address.ts';
import { cors } from './http/middleware/cors.ts';
import { observeRequests } from './http/middleware/observe-requests.ts';
import { requestLog } from './http/middleware/request-log.ts';
import { securityHeaders } from './http/middleware/security-headers.ts';
import { mountRoutes } from './http/mount-routes.ts';
import type { Operation } from './http/openapi/operation.ts';
import type { WaitingReplyOptions } from './http/waiting-reply.ts';
import type { AccountDeps } from './identity/account-deps.ts';
import { type FoundApiKey, recordKeyUse } from './identity/api-keys/api-key-store.ts';
import { findProjectOfUser, findSession } from './identity/sessions/session-store.ts';
import { confirmInPerson } from './identity/two-factor/two-factor.ts';
import { getUser } from './identity/users/user-queries.ts';
import type { BillingService } from './metering/billing/billing-service.ts';
import type { Maintenance } from './metering/maintenance/maintenance.ts';
import type { StorageLimits } from './metering/storage/storage-limits.ts';
import type { LimitsService } from './metering/usage/limits-service.ts';
import type { UsageService } from './metering/usage/usage-service.ts';
import type { RefusalCounts } from './runs/counts/refusal-counts.ts';
import { createRunCounts } from './runs/counts/run-counts.ts';
import type { NodeGenerations } from './runs/nodes/node-generations.ts';
import { createRunMetrics } from './runs/run-metrics.ts';
import type { RunQueue } from './runs/run-queue.ts';
import type { RunService } from './runs/run-service.ts';
import { serverVersion } from './server-version.ts';
import type { Database, Store } from './store/db.ts';
import type { Logger } from './telemetry/logger.ts';
import type { ServerMetrics } from './telemetry/metrics/server-metrics.ts';
import type { WebhookService } from './webhooks/webhook-service.ts';
import type { WebhookCounts } from './webhooks/webhooks.ts';
import type { JobRunner } from './workers/job-runner.ts';

export interface AppDeps {
  readonly db: Database;
  /** Find the API key of a token, or null. */
  readonly findKey: (token: string) => Promise<FoundApiKey | null>;
  readonly accounts: AccountDeps;
  readonly runs: RunService;
  readonly pipelines: PipelineRegistry;
  readonly tags: PipelineTags;
  readonly storage: StorageLimits;
  readonly presets: PresetService;
  readonly evaluations: EvaluationService;
  readonly webhooks: WebhookService;
  readonly logger: Logger;
  readonly clock: () => Date;
  readonly ready: () => Promise<readonly string[]>;
  readonly modelName: string;
  /** Every served model, the first one first. */
  readonly models: readonly ModelService[];
  /** The served model, for the compatible APIs. */
  readonly model: TextModel;
  /** Reads requests. */
  readonly jobs: JobRunner<TextModel>;
  readonly generations: GenerationService;
  readonly nodeGenerations: NodeGenerations;
  readonly billing: BillingService;
  readonly usage: UsageService;
  readonly refusals: RefusalCounts;
  readonly limits: LimitsService;
  readonly maxUploadBytes: number;
  readonly maxJsonBytes: number;
  readonly waiting: WaitingReplyOptions & EventStreamOptions;
  readonly edge: EdgeOptions;
  readonly load: LoadLimits;
  readonly observe: ObserveOptions;
  readonly store: Pick<Store, 'dump' | 'size'>;
  /** No other process uses the store. */
  readonly ownsStore: boolean;
  /** False: only health, metrics and the other servers of the store are answered. */
  readonly servesApi: boolean;
  readonly queue: RunQueue;
  readonly maintenance: Maintenance;
  readonly modelStore: ModelStoreAdmin;
  readonly serving: ServingService;
  readonly countWebhooks: () => Promise<WebhookCounts>;
  readonly process: ProcessFacts;
  /** The dashboard; null: only the API answers. */
  readonly site: Site | null;
  /** Folder of the manual's pages; null: the reference of the API alone. */
  readonly manualDir: string | null;
}

/** Metrics and traces of requests. */
export interface ObserveOptions {
  readonly metrics: ServerMetrics;
  readonly tracer: Tracer;
  /** Token of scrapers without an account; null: no such token. */
  readonly metricsToken: string | null;
}

/** Proxies that are trusted, and headers for browsers. */
export interface EdgeOptions {
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly hstsSeconds: number;
}

/** The HTTP application: call `fetch` or, in tests, `request`. */
export type App = Hono<HttpEnv>;

/** The whole HTTP side: middleware, and the routes with everything that derives from their records. */
export function createApp(deps: AppDeps): App {
  const { logger, edge, observe, site } = deps;
  const routes = deps.servesApi ? createRoutes(deps) : createWorkerRoutes(deps);
  // Every address answers with and without a slash at its end, without a redirect.
  const app = new Hono<HttpEnv>({ strict: false });
  app.onError((error, c) => errorReply(error, { errors: pipelineCloudErrors, requestId: c.get('requestId'), logger }));
  app.use(clientAddress(edge.trustedProxies, logger));
  app.use(observeRequests({ ...observe, now: () => performance.now() }));
  app.use(requestLog(logger));
  app.use(securityHeaders(edge));
  app.use(cors(edge.corsOrigins));
  if (site !== null) app.use(serveDashboard(site, new Set(routes.map(({ path }) => path.split('/')[1] ?? ''))));
  mountRoutes(app, deps.ownsStore ? routes : [...routes, ...nodeRoutes(deps), generationRoute(deps)], {
    guard: createAppGuard(deps),
    // A client of a compatible API has a token with the scope `run`, and must get 404 for unknown routes.
    unknownAccess: (errors) => (errors === pipelineCloudErrors ? READ_OR_WRITE : scope()),
    errors: pipelineCloudErrors,
    logger,
    loads: createLoadControl(deps.load),
    onRefusal(route, projectId, code) {
      if (isGenerating(route)) deps.refusals.count(projectId, code);
    },
  });
  return app;
}

/** Whether a route generates text, in one of the APIs. */
function isGenerating({ method, path, tag }: Operation): boolean {
  return method === 'post' && (path === '/v2/runs' || GENERATING_TAGS.includes(tag));
}

const GENERATING_TAGS: readonly string[] = ['OpenAI', 'text-generation-inference', 'mesh-transformer-jax'];

/** The routes, in the order of the reference. */
function createRoutes(deps: AppDeps): readonly ApiRoute[] {
  const { accounts, observe } = deps;
  const routes: readonly ApiRoute[] = [
    ...runRoutes(deps),
    ...tokenizeRoutes(deps),
    ...fileRoutes(deps),
    ...dataRoutes(deps),
    ...pipelineRoutes(deps),
    ...tagRoutes(deps),
    ...presetRoutes(deps),
    ...evaluationRoutes(deps),
    ...webhookRoutes(deps),
    ...runMetricsRoutes(createRunMetrics(deps), createRunCounts(deps)),
    ...planRoutes(deps),
    ...usageRoutes(deps.usage),
    ...limitsRoutes(deps.limits),
    ...accountRoutes(accounts),
    ...sessionRoutes(accounts),
    ...securityRoutes(accounts),
    ...oauthRoutes(accounts),
    ...userRoutes(accounts, (ids) => deps.usage.recentRuns(ids)),
    ...tokenRoutes(accounts),
    ...projectRoutes(accounts),
    ...memberRoutes(accounts),
    ...openAiRoutes(deps),
    // Before the addresses of models, of which some names would end like these.
    ...otherApiRoutes(deps),
    ...huggingFaceRoutes(deps),
    ...meshRoutes(deps),
    ...statusRoutes(deps),
    ...engineRoutes(deps),
    ...serverRoutes({ ...deps, version: serverVersion() }),
    ...referenceRoutes({
      operations: () => routes,
      version: serverVersion(),
      manualDir: deps.manualDir,
      origin: () => accounts.publicUrl(),
    }),
    ...metricsRoutes(observe.metrics.registry, observe.metricsToken),
    ...adminRoutes({
      dump: deps.store.dump,
      recordBackup: (caller) => recordAudit(deps.db, deps.clock(), caller, { action: 'server.backup', subject: null }),
    }),
    ...modelServingRoutes(deps),
    ...modelStoreRoutes({
      ...deps,
      recordChange: (caller, action, details) =>
        recordAudit(deps.db, deps.clock(), caller, { action, subject: null, details }),
    }),
    ...overviewRoutes({
      ...deps,
      storeFacts: { kind: deps.store.dump === null ? 'postgresql' : 'embedded', size: () => deps.store.size() },
    }),
  ];
  return routes;
}

/** What a process without the API answers, beside the other servers of its store. */
function createWorkerRoutes(deps: AppDeps): readonly ApiRoute[] {
  const { metrics, metricsToken } = deps.observe;
  const probes = statusRoutes(deps).filter(({ path }) => WORKER_PROBES.includes(path));
  return [...probes, ...metricsRoutes(metrics.registry, metricsToken)];
}

const WORKER_PROBES: readonly string[] = ['/healthz', '/readyz'];

function createAppGuard({ accounts, findKey, limits }: AppDeps): Guard {
  const { db, clock, settings, publicUrl } = accounts;
  return createGuard({
    clock,
    findKey,
    recordKeyUse: (keyId, now) => recordKeyUse(db, keyId, now),
    findSession: (secret, now) => findSession(db, secret, now),
    findProject: (userId, projectId) => findProjectOfUser(db, userId, projectId),
    confirmUser: async (userId, proof, caller) =>
      await confirmInPerson(accounts, await getUser(accounts, userId), proof, caller),
    limitHeaders: (principal) => limits.headers(principal),
    settings,
    publicUrl,
  });
}
