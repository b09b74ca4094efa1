/**
 * Traces by OpenTelemetry. The code of the server uses `@opentelemetry/api` alone; the SDK is loaded when a collector is
 * configured. Without one, spans go to the provider that an embedding program has registered, or nowhere.
 *
 * Bounded: at most {@link MAX_QUEUED_SPANS} spans wait, later ones are dropped. Tracing never slows
 * down or breaks the server.
 */
import { context, DiagLogLevel, diag, propagation, type Tracer, trace } from '@opentelemetry/api';

export interface TracingOptions {
  /** Base address of a collector that takes OTLP over HTTP; `/v1/traces` is appended. Null: no SDK. */
  readonly endpoint: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Called for each batch that the collector did not take, and when spans were dropped. */
  readonly onLoss: (reason: string) => void;
}

export interface Tracing {
  readonly tracer: Tracer;
  /** Send the queued spans. Idempotent. */
  close(): Promise<void>;
}

const MAX_QUEUED_SPANS = 2048;
const MAX_SPANS_PER_REQUEST = 512;
const EXPORT_DELAY_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;

export async function openTracing(options: TracingOptions): Promise<Tracing> {
  const { endpoint, headers, serviceName, serviceVersion, onLoss } = options;
  if (endpoint === null) return { tracer: trace.getTracer('gptj-cloud', serviceVersion), close: async () => {} };
  const [
    { BasicTracerProvider, BatchSpanProcessor },
    { OTLPTraceExporter },
    { AsyncLocalStorageContextManager },
    { resourceFromAttributes },
    { ExportResultCode, W3CTraceContextPropagator },
  ] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/core'),
  ]);
  // The batch processor reports dropped spans through the diagnostic logger alone.
  const silent = () => {};
  diag.setLogger(
    { error: onLoss, warn: onLoss, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  // Both are process-wide and stay as they are when an embedding program has set its own.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const exporter = new OTLPTraceExporter({
    url: `${endpoint}${endpoint.endsWith('/') ? '' : '/'}v1/traces`,
    headers: { ...headers },
    timeoutMillis: REQUEST_TIMEOUT_MS,
    // Closing sends every queued batch at once.
    concurrencyLimit: Math.ceil(MAX_QUEUED_SPANS / MAX_SPANS_PER_REQUEST) + 1,
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': serviceVersion }),
    spanProcessors: [
      new BatchSpanProcessor(
        {
          export: (spans, done) =>
            exporter.export(spans, (result) => {
              if (result.code !== ExportResultCode.SUCCESS) {
                onLoss(`${spans.length} spans: ${result.error?.message ?? 'the collector did not take them'}`);
              }
              // Success, so that the processor does not report the same loss again.
              done({ code: ExportResultCode.SUCCESS });
            }),
          shutdown: () => exporter.shutdown(),
        },
        {
          maxQueueSize: MAX_QUEUED_SPANS,
          maxExportBatchSize: MAX_SPANS_PER_REQUEST,
          scheduledDelayMillis: EXPORT_DELAY_MS,
          exportTimeoutMillis: REQUEST_TIMEOUT_MS,
        },
      ),
    ],
  });
  let closing: Promise<void> | undefined;
  return {
    tracer: provider.getTracer('gptj-cloud', serviceVersion),
    close: () => (closing ??= provider.shutdown()),
  };
}
