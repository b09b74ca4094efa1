import { media } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { MetricsRegistry } from '../../telemetry/metrics/registry.ts';
import type { ApiRoute } from '../access/access.ts';
import { metricsAccess } from '../access/metrics-token.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

/** Metrics for Prometheus. They reveal the usage of the server, so only operators may read them. */
export function metricsRoutes(registry: MetricsRegistry, metricsToken: string | null): readonly ApiRoute[] {
  return [
    defineRoute({
      method: 'get',
      path: '/metrics',
      access: metricsAccess(metricsToken),
      errors: pipelineCloudErrors,
      tag: 'server',
      summary: 'Metrics for Prometheus',
      replies: { 200: media('text/plain', 'Exposition format 0.0.4.') },
      handle: async () =>
        new Response(await registry.render(), {
          headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        }),
    }),
  ];
}
