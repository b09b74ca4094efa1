import type { EngineInfo, EngineStats, HostedModel } from '@gptj-cloud/engine';
import type { Tracer } from '@opentelemetry/api';
import { serverVersion } from '../server-version.ts';
import type { Logger } from './logger.ts';
import { measureProcess } from './metrics/process-metrics.ts';
import type { Labels } from './metrics/registry.ts';
import {
  createServerMetrics,
  type QueueGauges,
  readEngineMetrics,
  readModelMetrics,
  readQueueMetrics,
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

/** A served model at a scrape. */
export interface ScrapedModel {
  readonly engine: { readonly info: EngineInfo };
  readonly monitor: { readonly stats: () => Promise<EngineStats> };
  /** Null: it is always loaded. */
  readonly hosted: HostedModel | null;
}

/** What the metrics page reads at every scrape. */
export interface ScrapedCounts {
  /** They come and go. */
  readonly models: readonly ScrapedModel[];
  /** Runs that have not ended, by state. */
  readonly countOpenRuns: () => Promise<ReadonlyMap<string, number>>;
  readonly readQueue: () => Promise<QueueGauges>;
  readonly countWebhooks: () => Promise<WebhookGauges>;
}

/** Add the metrics that are read at every scrape: build, engines and the open runs of the store. */
export function readAtScrape(metrics: ServerMetrics, { models, ...counts }: ScrapedCounts): void {
  const labelsOf = ({ engine }: ScrapedModel): Labels => (models.length === 1 ? {} : { model: engine.info.modelName });
  metrics.registry.read(
    { name: 'gptj_build_info', help: 'Always 1; the labels name version, model and engine.' },
    'gauge',
    () =>
      models.map(({ engine: { info } }) => ({
        value: 1,
        labels: {
          version: serverVersion(),
          model: info.modelName,
          quantisation: info.quantisation,
          engine: info.kind,
        },
      })),
  );
  readEngineMetrics(metrics, () => models.map((each) => ({ labels: labelsOf(each), stats: each.monitor.stats })));
  readModelMetrics(metrics, () =>
    models.flatMap(({ hosted }) => {
      if (hosted === null) return [];
      const { state, waiting } = hosted.status();
      return [{ model: hosted.name, state, waiting }];
    }),
  );
  readRunMetrics(metrics, counts.countOpenRuns);
  readQueueMetrics(metrics, counts.readQueue);
  readWebhookMetrics(metrics, counts.countWebhooks);
}
