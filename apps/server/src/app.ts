import { ApiError } from '@gptj-cloud/protocol';
import { type Tracer, trace } from '@opentelemetry/api';
import { Hono } from 'hono';
import type { AppEnv } from './api/access/app-env.ts';
import { type AuthDeps, auth } from './api/access/auth.ts';
import { metricsToken } from './api/access/metrics-token.ts';
import { accountRoutes } from './api/account/account-routes.ts';
import { oauthRoutes } from './api/account/oauth-routes.ts';
import { planRoutes } from './api/account/plan-routes.ts';
import { projectRoutes } from './api/account/project-routes.ts';
import { tokenRoutes } from './api/account/token-routes.ts';
import { usageRoutes } from './api/account/usage-routes.ts';
import { userRoutes } from './api/account/user-routes.ts';
import { meshRoutes } from './api/mesh/mesh-routes.ts';
import { openAiRoutes } from './api/openai/openai-routes.ts';
import { adminRoutes } from './api/operator/admin-routes.ts';
import { metricsPage, metricsRoutes } from './api/operator/metrics-routes.ts';
import { referenceRoutes } from './api/operator/reference-routes.ts';
import { statusRoutes } from './api/operator/status-routes.ts';
import { dataRoutes } from './api/pipeline-cloud/data-routes.ts';
import { fileRoutes } from './api/pipeline-cloud/file-routes.ts';
import { pipelineRoutes } from './api/pipeline-cloud/pipeline-routes.ts';
import { runMetricsRoutes } from './api/pipeline-cloud/run-metrics-routes.ts';
import { runRoutes } from './api/pipeline-cloud/run-routes.ts';
import { tagRoutes } from './api/pipeline-cloud/tag-routes.ts';
import { webhookRoutes } from './api/pipeline-cloud/webhook-routes.ts';
import { huggingFaceRoutes } from './api/tgi/tgi-routes.ts';
import type { GenerationService } from './generation/generation-service.ts';
import type { PipelineRegistry } from './generation/pipelines/pipeline-registry.ts';
import type { PipelineTags } from './generation/pipelines/pipeline-tags.ts';
import type { TextModel } from './generation/text-model.ts';
import { errorReply } from './http/error-reply.ts';
import { clientAddress } from './http/middleware/client-address.ts';
import { cors } from './http/middleware/cors.ts';
import { observeRequests } from './http/middleware/observe-requests.ts';
import { requestLog } from './http/middleware/request-log.ts';
import { securityHeaders } from './http/middleware/security-headers.ts';
import type { EventStreamOptions } from './http/sse.ts';
import type { WaitingReplyOptions } from './http/waiting-reply.ts';
import type { AccountDeps } from './identity/account-deps.ts';
import { type FoundApiKey, noteUse } from './identity/api-keys/api-key-store.ts';
import { findProjectOfUser, findSession } from './identity/sessions/session-store.ts';
import type { BillingService } from './metering/billing/billing-service.ts';
import type { UsageService } from './metering/usage/usage-service.ts';
import type { RunService } from './runs/run-service.ts';
import { serverVersion } from './server-version.ts';
import type { Database, Store } from './store/db.ts';
import type { Logger } from './telemetry/logger.ts';
import { createServerMetrics, type ServerMetrics } from './telemetry/metrics/server-metrics.ts';

import type { WebhookService } from './webhooks/webhook-service.ts';

export interface AppDeps {
  readonly db: Database;
  /** The key a token belongs to, or null. */
  readonly findKey: (token: string) => Promise<FoundApiKey | null>;
  readonly accounts: AccountDeps;
  readonly runs: RunService;
  readonly pipelines: PipelineRegistry;
  readonly tags: PipelineTags;
  readonly webhooks: WebhookService;
  readonly logger: Logger;
  readonly clock: () => Date;
  readonly ready: () => Promise<boolean>;
  readonly modelName: string;
  /** What the compatible APIs generate with. */
  readonly model: TextModel;
  readonly generations: GenerationService;
  readonly billing: BillingService;
  readonly usage: UsageService;
  readonly maxUploadBytes: number;
  readonly maxJsonBytes: number;
  readonly waiting: WaitingReplyOptions & EventStreamOptions;
  /** Default: no proxies, no other origins, no HSTS. */
  readonly edge?: EdgeOptions;
  /** Default: metrics of its own, no traces. */
  readonly observe?: ObserveOptions;
  /** Of the embedded store. Default: none, it is kept elsewhere. */
  readonly dump?: Store['dump'];
}

/** What watches it. */
export interface ObserveOptions {
  readonly metrics: ServerMetrics;
  readonly tracer: Tracer;
  /** For scrapers without an account; null: none. */
  readonly metricsToken: string | null;
}

/** How the server meets proxies and browsers. */
export interface EdgeOptions {
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly hstsSeconds: number;
}

/** The HTTP application: call `fetch` or, in tests, `request`. */
export type App = Hono<AppEnv>;

/** The whole HTTP side. Every address is answered with and without a slash at its end, never by a redirect. */
export function createApp(deps: AppDeps): App {
  const { logger } = deps;
  const app = new Hono<AppEnv>({ strict: false });
  app.onError((error, c) => errorReply(error, c.get('requestId'), logger, c.req));
  const edge = deps.edge ?? { trustedProxies: [], corsOrigins: [], hstsSeconds: 0 };
  const observe = deps.observe ?? {
    metrics: createServerMetrics(),
    tracer: trace.getTracer('gptj-cloud'),
    metricsToken: null,
  };
  const { registry } = observe.metrics;
  app.use(clientAddress(edge.trustedProxies));
  app.use(observeRequests({ ...observe, now: () => performance.now() }));
  app.use(requestLog(logger));
  app.use(securityHeaders(edge));
  app.use(cors(edge.corsOrigins));
  app.use(
    '/metrics',
    metricsToken(observe.metricsToken, () => metricsPage(registry)),
  );
  app.use(auth({ ...storeAuth(deps), findKey: deps.findKey }));
  for (const routes of [
    statusRoutes(deps),
    referenceRoutes(serverVersion()),
    metricsRoutes(registry),
    adminRoutes({ db: deps.db, clock: deps.clock, dump: deps.dump ?? null }),
    userRoutes(deps.accounts),
    accountRoutes(deps.accounts),
    oauthRoutes(deps.accounts),
    tokenRoutes(deps.accounts),
    projectRoutes(deps.accounts),
    planRoutes(deps),
    usageRoutes(deps.usage),
    fileRoutes(deps),
    dataRoutes(deps),
    runRoutes(deps),
    runMetricsRoutes(deps),
    webhookRoutes(deps),
    tagRoutes(deps),
    pipelineRoutes(deps),
    openAiRoutes(deps),
    huggingFaceRoutes(deps),
    meshRoutes(deps),
  ]) {
    app.route('/', routes);
  }
  refuseOtherMethods(app, logger);
  app.notFound((c) => {
    const unknown = new ApiError('route_unknown', { method: c.req.method, path: c.req.path.slice(0, 200) });
    return errorReply(unknown, c.get('requestId'), logger, c.req);
  });
  return app;
}

function storeAuth({ accounts: { db, clock, settings, publicUrl } }: AppDeps): Omit<AuthDeps, 'findKey'> {
  return {
    clock,
    noteUse: (keyId, now) => noteUse(db, keyId, now),
    findSession: (secret, now) => findSession(db, secret, now),
    findProject: (userId, projectId) => findProjectOfUser(db, userId, projectId),
    settings,
    publicUrl,
  };
}

/** Answer a known address asked by another method with 405 and the methods there are. */
function refuseOtherMethods(app: Hono<AppEnv>, logger: Logger): void {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === 'ALL') continue;
    methods.set(path, (methods.get(path) ?? new Set()).add(method));
  }
  for (const [path, known] of methods) {
    const allow = [...known, ...(known.has('GET') ? ['HEAD'] : [])].join(', ');
    app.all(path, (c) => {
      const refusal = new ApiError('method_not_allowed', { method: c.req.method, path: c.req.path.slice(0, 200) });
      const reply = errorReply(refusal, c.get('requestId'), logger, c.req);
      reply.headers.set('Allow', allow);
      return reply;
    });
  }
}
