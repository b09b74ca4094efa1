import { constants, type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { Labels } from './registry.ts';
import type { ServerMetrics } from './server-metrics.ts';

const GC_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
]);

/**
 * Add memory, processor time, event-loop delay and garbage collection of this process to the metrics. The engine's
 * process is not included. Returns a function that ends the measurement.
 */
export function measureProcess({ registry }: ServerMetrics): () => void {
  const gauge = (name: string, help: string, value: () => number): void =>
    registry.read({ name, help }, 'gauge', () => [{ value: value() }]);

  gauge('process_resident_memory_bytes', 'Resident memory of the server, without the engine.', () =>
    process.memoryUsage.rss(),
  );
  registry.read(
    { name: 'process_cpu_seconds_total', help: 'Processor time of the server, without the engine.' },
    'counter',
    () => {
      const { user, system } = process.cpuUsage();
      return [{ value: (user + system) / 1e6 }];
    },
  );
  gauge('process_start_time_seconds', 'Start of the server, Unix time.', () =>
    Math.round(Date.now() / 1000 - process.uptime()),
  );
  gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_heap_size_total_bytes', 'JavaScript heap reserved.', () => process.memoryUsage().heapTotal);
  gauge(
    'nodejs_external_memory_bytes',
    'Memory of buffers and WebAssembly, the embedded store included.',
    () => process.memoryUsage().external,
  );

  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  registry.read(
    { name: 'nodejs_eventloop_delay_seconds', help: 'Delay of the event loop since the last scrape, by quantile.' },
    'gauge',
    () => {
      const samples = eventLoopDelay(delay);
      delay.reset();
      return samples;
    },
  );

  const gcSeconds = registry.histogram(
    { name: 'nodejs_gc_duration_seconds', help: 'Pauses of the garbage collector, by kind.' },
    GC_SECONDS,
  );
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const detail = 'detail' in entry ? entry.detail : undefined;
      gcSeconds.observe(entry.duration / 1000, { kind: GC_KINDS.get(gcKind(detail)) ?? 'other' });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => {
    delay.disable();
    observer.disconnect();
  };
}

function eventLoopDelay(delay: IntervalHistogram): readonly { readonly value: number; readonly labels: Labels }[] {
  // Without a sample the histogram's maximum is 0 and its percentiles are meaningless.
  const seconds = (nanoseconds: number): number => (delay.max === 0 ? 0 : nanoseconds / 1e9);
  return [
    { value: seconds(delay.percentile(50)), labels: { quantile: '0.5' } },
    { value: seconds(delay.percentile(99)), labels: { quantile: '0.99' } },
    { value: seconds(delay.max), labels: { quantile: '1' } },
  ];
}

function gcKind(detail: unknown): number {
  return typeof detail === 'object' && detail !== null && 'kind' in detail && typeof detail.kind === 'number'
    ? detail.kind
    : -1;
}
