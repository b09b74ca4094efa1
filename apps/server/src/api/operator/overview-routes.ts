import {
  type AdminOverview,
  adminOverviewSchema,
  adminRunPageSchema,
  maintenanceGetSchema,
  maintenancePatchSchema,
  type SettingGet,
  toTimestamp,
} from '@gptj-cloud/protocol';
import type { ModelService } from '../../generation/model-service.ts';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { StoreDeps } from '../../identity/account-deps.ts';
import { countUsers } from '../../identity/users/user-queries.ts';
import type { BillingService } from '../../metering/billing/billing-service.ts';
import { type Maintenance, toMaintenanceGet } from '../../metering/maintenance/maintenance.ts';
import type { RunQueue } from '../../runs/run-queue.ts';
import type { WebhookCounts } from '../../webhooks/webhooks.ts';
import { type ApiRoute, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { readEngine } from './engine-routes.ts';

export interface OverviewRoutesDeps {
  readonly accounts: StoreDeps;
  readonly billing: BillingService;
  readonly queue: RunQueue;
  readonly maintenance: Maintenance;
  readonly models: readonly ModelService[];
  readonly storeFacts: StoreFacts;
  readonly countWebhooks: () => Promise<WebhookCounts>;
  readonly process: ProcessFacts;
}

export interface StoreFacts {
  readonly kind: 'embedded' | 'postgresql';
  /** Bytes on its disk. */
  readonly size: () => Promise<number>;
}

/** What only the entry point of the process knows. */
export interface ProcessFacts {
  readonly version: string;
  readonly startedAt: Date;
  readonly settings: readonly SettingGet[];
  /** Of the disk with the embedded store; null on a PostgreSQL server. */
  readonly disk: (() => Promise<DiskSpace>) | null;
}

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The server as a whole, its queue and its maintenance, for its owners. */
export function overviewRoutes(deps: OverviewRoutesDeps): readonly ApiRoute[] {
  const { queue, maintenance } = deps;
  const record = { errors: pipelineCloudErrors, tag: 'server' } as const;
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/admin/overview',
      access: serverOwner('see the overview of the server'),
      summary: 'Get an overview of the server',
      description: 'Users, open runs, engine, store, disk and settings. Values of secret settings are in no reply.',
      // Values of settings are the operator's own: they are not compressed beside text that others choose.
      holdsSecret: true,
      replies: { 200: json(adminOverviewSchema, 'The state of the server.') },
      handle: () => readOverview(deps),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/admin/runs',
      access: serverOwner('see the runs of all projects'),
      summary: 'List the open runs of all projects',
      description: 'Running ones first, then in the order of the queue. Inputs and results are not part of it.',
      parameters: { skip: PAGE.skip, limit: PAGE.limit },
      replies: { 200: json(adminRunPageSchema, 'A page of open runs.') },
      handle: ({ parameters }) => queue.list(parameters),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/admin/runs/:id/cancel',
      access: serverOwner('cancel the runs of all projects'),
      summary: 'Cancel an open run of any project',
      replies: { 204: NO_CONTENT },
      handle: ({ path, caller }) => queue.cancel(path.id, caller),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/admin/maintenance',
      access: serverOwner('begin or end maintenance'),
      summary: 'Refuse new runs for a time, or accept them again',
      description:
        'New runs and generations get 503 `maintenance` with the sentence and Retry-After, on every server of the store, ' +
        'also after a restart. Accepted runs are executed, and everything else is answered: `/readyz` stays 200.',
      body: jsonBody(maintenancePatchSchema),
      bodyExample: { is_on: true },
      replies: { 200: json(maintenanceGetSchema, 'Whether new runs are refused.') },
      handle: ({ body, caller }) => maintenance.change(body, caller),
    }),
  ];
}

async function readOverview(deps: OverviewRoutesDeps): Promise<AdminOverview> {
  const { accounts, billing, queue, maintenance, models, storeFacts } = deps;
  const { version, startedAt, settings, disk } = deps.process;
  const users = await countUsers(accounts);
  const { received, running, oldestWaitingMs } = await queue.load();
  const { waiting, sending, openBreakers } = await deps.countWebhooks();
  const space = (await disk?.()) ?? null;
  return {
    version,
    node: process.versions.node,
    started_at: toTimestamp(startedAt),
    users: { total: users.total, owners: users.owners, disabled: users.disabled, active_today: users.activeToday },
    plan_requests: await billing.countRequests(),
    runs: { received, running, oldest_waiting_ms: oldestWaitingMs },
    webhooks: { waiting, sending, open_breakers: openBreakers },
    engine: await readEngine(models, undefined),
    store: { kind: storeFacts.kind, bytes: await storeFacts.size() },
    disk: space === null ? null : { free_bytes: space.freeBytes, total_bytes: space.totalBytes },
    maintenance: toMaintenanceGet(maintenance.current()),
    settings: [...settings],
  };
}
