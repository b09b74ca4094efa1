import { AsyncLocalStorage } from 'node:async_hooks';
import { childContext, type TraceContext } from './trace-context.ts';

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;
export type SpanKind = 'internal' | 'server' | 'client';

/** Something that takes time, as the exporter gets it. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: TraceContext;
  readonly parentSpanId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Null: no error. */
  readonly error: string | null;
}

export interface Span {
  /** Null when traces are off. */
  readonly context: TraceContext | null;
  rename(name: string): void;
  set(attributes: Attributes): void;
  /** @param type a short, stable name of what went wrong */
  fail(type: string): void;
  /** Idempotent. */
  end(): void;
}

export interface SpanOptions {
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  /** Default: the span that the caller runs within. */
  readonly parent?: TraceContext | null;
}

export interface Tracer {
  start(name: string, options: SpanOptions): Span;
  /** Run `work` within a span: spans started in there are its children. */
  within<Result>(span: Span, work: () => Result): Result;
  /** Where the caller is, to be sent along with requests to others; null when traces are off. */
  current(): TraceContext | null;
}

/** Traces are off: nothing is made and nothing kept. */
export const NO_TRACES: Tracer = {
  start: () => ({ context: null, rename() {}, set() {}, fail() {}, end() {} }),
  within: (_, work) => work(),
  current: () => null,
};

/**
 * A tracer that hands every span to `exported` when it has ended. Spans of a caller who does not sample are dropped.
 *
 * @param clock milliseconds since 1970, with fractions where there are
 */
export function createTracer(exported: (span: FinishedSpan) => void, clock: () => number): Tracer {
  const storage = new AsyncLocalStorage<TraceContext>();
  return {
    current: () => storage.getStore() ?? null,
    within: (span, work) => (span.context === null ? work() : storage.run(span.context, work)),
    start(name, options) {
      const parent = options.parent === undefined ? (storage.getStore() ?? null) : options.parent;
      const context = childContext(parent);
      const startMs = clock();
      let finalName = name;
      let attributes: Attributes = options.attributes ?? {};
      let error: string | null = null;
      let ended = false;
      return {
        context,
        rename(next) {
          finalName = next;
        },
        set(more) {
          attributes = { ...attributes, ...more };
        },
        fail(type) {
          error = type;
          attributes = { ...attributes, 'error.type': type };
        },
        end() {
          if (ended) return;
          ended = true;
          if (!context.sampled) return;
          const { kind } = options;
          const parentSpanId = parent?.spanId ?? null;
          exported({ name: finalName, kind, context, parentSpanId, startMs, endMs: clock(), attributes, error });
        },
      };
    },
  };
}
