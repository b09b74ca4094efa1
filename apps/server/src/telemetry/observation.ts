import type { Engine } from '@gptj-cloud/engine';
import { count, isNull } from 'drizzle-orm';
import { runs } from '../runs/run-tables.ts';
import { serverVersion } from '../server-version.ts';
import type { Database } from '../store/db.ts';
import type { Logger } from './logger.ts';
import {
  createServerMetrics,
  readEngineMetrics,
  readProcessMetrics,
  readRunMetrics,
  type ServerMetrics,
} from './metrics/server-metrics.ts';
import { createOtlpExporter } from './tracing/otlp-exporter.ts';
import { createTracer, NO_TRACES, type Tracer } from './tracing/tracer.ts';

/** Metrics and traces of a running server. */
export interface Observation {
  readonly metrics: ServerMetrics;
  readonly tracer: Tracer;
  /** Send the spans that wait. Idempotent. */
  close(): Promise<void>;
}

export interface ObservationOptions {
  readonly otlpEndpoint: string | null;
  readonly otlpHeaders: Readonly<Record<string, string>>;
  readonly otelServiceName: string;
  readonly logger: Logger;
}

/** Metrics always, traces where a collector is named. */
export function createObservation(options: ObservationOptions): Observation {
  const metrics = createServerMetrics();
  const { otlpEndpoint, logger } = options;
  if (otlpEndpoint === null) return { metrics, tracer: NO_TRACES, close: async () => {} };
  const exporter = createOtlpExporter({
    endpoint: otlpEndpoint,
    headers: options.otlpHeaders,
    serviceName: options.otelServiceName,
    serviceVersion: serverVersion(),
    fetch,
    onLost: (spans, reason) => logger.warn('traces were lost', { spans, reason }),
  });
  const tracer = createTracer(
    (span) => exporter.add(span),
    () => performance.timeOrigin + performance.now(),
  );
  return { metrics, tracer, close: () => exporter.close() };
}

/** Have the metrics page show what is read at every scrape: the process, its engine, the runs in the store. */
export function readAtScrape(metrics: ServerMetrics, engine: Engine, db: Database): void {
  const { modelName, quantisation, kind } = engine.info;
  readProcessMetrics(metrics, { build: { version: serverVersion(), model: modelName, quantisation, engine: kind } });
  readEngineMetrics(metrics, engine);
  readRunMetrics(metrics, async () => {
    const rows = await db
      .select({ state: runs.state, total: count() })
      .from(runs)
      .where(isNull(runs.endedAt))
      .groupBy(runs.state);
    return new Map(rows.map(({ state, total }) => [state, total]));
  });
}
