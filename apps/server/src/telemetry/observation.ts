import type { EngineInfo, EngineStats } from '@gptj-cloud/engine';
import type { Tracer } from '@opentelemetry/api';
import { serverVersion } from '../server-version.ts';
import type { Logger } from './logger.ts';
import { measureProcess } from './metrics/process-metrics.ts';
import {
  createServerMetrics,
  readEngineMetrics,
  readRunMetrics,
  readWebhookMetrics,
  type ServerMetrics,
  type WebhookGauges,
} from './metrics/server-metrics.ts';
import { openTracing } from './tracing/open-tracing.ts';

/** Metrics and traces of a running server. */
export interface Observation {
  readonly metrics: ServerMetrics;
  readonly tracer: Tracer;
  /** Send the queued spans. Idempotent. */
  close(): Promise<void>;
}

export interface ObservationOptions {
  readonly otlpEndpoint: string | null;
  readonly otlpHeaders: Readonly<Record<string, string>>;
  readonly otelServiceName: string;
  readonly logger: Logger;
}

/** Metrics always, traces where a collector is configured. */
export async function openObservation(options: ObservationOptions): Promise<Observation> {
  const { tracer, close } = await openTracing({
    endpoint: options.otlpEndpoint,
    headers: options.otlpHeaders,
    serviceName: options.otelServiceName,
    serviceVersion: serverVersion(),
    onLoss: (reason) => options.logger.warn('traces lost', { reason }),
  });
  const metrics = createServerMetrics();
  const stopMeasuring = measureProcess(metrics);
  return {
    metrics,
    tracer,
    close() {
      stopMeasuring();
      return close();
    },
  };
}

/** What the metrics page reads at every scrape. */
export interface ScrapedCounts {
  readonly engineStats: () => Promise<EngineStats>;
  /** Runs that have not ended, by state. */
  readonly countOpenRuns: () => Promise<ReadonlyMap<string, number>>;
  readonly countWebhooks: () => Promise<WebhookGauges>;
}

/** Add the metrics that are read at every scrape: build, engine and the open runs of the store. */
export function readAtScrape(
  metrics: ServerMetrics,
  { modelName, quantisation, kind }: EngineInfo,
  counts: ScrapedCounts,
): void {
  const build = { version: serverVersion(), model: modelName, quantisation, engine: kind };
  metrics.registry.read(
    { name: 'gptj_build_info', help: 'Always 1; the labels name version, model and engine.' },
    'gauge',
    () => [{ value: 1, labels: build }],
  );
  readEngineMetrics(metrics, counts.engineStats);
  readRunMetrics(metrics, counts.countOpenRuns);
  readWebhookMetrics(metrics, counts.countWebhooks);
}
