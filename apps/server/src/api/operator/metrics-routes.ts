import { ApiError } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { isServerOwner } from '../../identity/principal.ts';
import type { MetricsRegistry } from '../../telemetry/metrics/registry.ts';
import type { AppEnv } from '../access/app-env.ts';

/** What Prometheus reads. */
export async function metricsPage(registry: MetricsRegistry): Promise<Response> {
  return new Response(await registry.render(), {
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  });
}

/** The server's figures, for its operators alone: they tell how much everybody uses it. */
export function metricsRoutes(registry: MetricsRegistry): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false }).get('/metrics', async (c) => {
    if (!isServerOwner(c.get('principal'))) throw new ApiError('owner_required', { action: 'read metrics' });
    return await metricsPage(registry);
  });
}
