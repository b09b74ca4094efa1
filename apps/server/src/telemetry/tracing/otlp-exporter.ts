/**
 * Spans to an OpenTelemetry collector: OTLP over HTTP as JSON.
 *
 * Bounded: at most {@link MAX_WAITING} spans wait, later ones are dropped and counted; one request is under way at a
 * time; one that fails is not repeated. Tracing never slows down or breaks what it watches.
 */
import type { Attributes, AttributeValue, FinishedSpan } from './tracer.ts';

export interface OtlpExporterOptions {
  /** Base address of the collector; `/v1/traces` is appended. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly fetch: typeof fetch;
  /** Told of spans that could not be delivered. */
  readonly onLost: (spans: number, reason: string) => void;
  /** Spans are sent after this time. Default 2000. */
  readonly delayMs?: number;
}

export interface OtlpExporter {
  add(span: FinishedSpan): void;
  /** Send what waits, and take nothing more. Idempotent. */
  close(): Promise<void>;
}

const MAX_WAITING = 2048;
const MAX_PER_REQUEST = 512;
const REQUEST_TIMEOUT_MS = 10_000;
const KINDS = { internal: 1, server: 2, client: 3 } as const;

export function createOtlpExporter(options: OtlpExporterOptions): OtlpExporter {
  const address = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`;
  let waiting: FinishedSpan[] = [];
  let lost = 0;
  let timer: NodeJS.Timeout | null = null;
  let sending: Promise<void> = Promise.resolve();
  let closing: Promise<void> | null = null;

  const send = async (): Promise<void> => {
    timer = null;
    while (waiting.length > 0) {
      const spans = waiting.slice(0, MAX_PER_REQUEST);
      waiting = waiting.slice(MAX_PER_REQUEST);
      try {
        const reply = await options.fetch(address, {
          method: 'POST',
          headers: { ...options.headers, 'content-type': 'application/json' },
          body: JSON.stringify(toRequest(spans, options)),
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
          redirect: 'error',
        });
        // The body is taken off the connection, so that it can be used again.
        await reply.arrayBuffer();
        if (!reply.ok) throw new Error(`status ${reply.status}`);
      } catch (error) {
        options.onLost(spans.length, error instanceof Error ? error.message : String(error));
      }
    }
    if (lost > 0) options.onLost(lost, `more than ${MAX_WAITING} spans were waiting`);
    lost = 0;
  };
  const flush = (): Promise<void> => {
    sending = sending.then(send);
    return sending;
  };

  return {
    add(span) {
      if (closing !== null) return;
      if (waiting.length >= MAX_WAITING) {
        lost++;
        return;
      }
      waiting.push(span);
      // The timer alone must not keep a process alive.
      timer ??= setTimeout(() => void flush(), options.delayMs ?? 2000).unref();
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      closing ??= flush();
      return closing;
    },
  };
}

function toRequest(spans: readonly FinishedSpan[], { serviceName, serviceVersion }: OtlpExporterOptions): object {
  const resource = { 'service.name': serviceName, 'service.version': serviceVersion };
  return {
    resourceSpans: [
      {
        resource: { attributes: toAttributes(resource) },
        scopeSpans: [{ scope: { name: 'gptj-cloud', version: serviceVersion }, spans: spans.map(toSpan) }],
      },
    ],
  };
}

function toSpan(span: FinishedSpan): object {
  return {
    traceId: span.context.traceId,
    spanId: span.context.spanId,
    ...(span.parentSpanId === null ? {} : { parentSpanId: span.parentSpanId }),
    flags: 1,
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(span.endMs),
    attributes: toAttributes(span.attributes),
    status: span.error === null ? {} : { code: 2, message: span.error },
  };
}

/** 64 bits travel as text: JSON's numbers would lose the last digits. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function toAttributes(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map(toValue) } };
}
