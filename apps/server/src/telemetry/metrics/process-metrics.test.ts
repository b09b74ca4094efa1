import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureProcess } from './process-metrics.ts';
import { createServerMetrics } from './server-metrics.ts';

test('memory, event-loop delay and garbage collection of the process are on the page', async (t) => {
  const metrics = createServerMetrics();
  t.after(measureProcess(metrics));
  const page = await metrics.registry.render();
  for (const quantile of ['0.5', '0.99', '1']) {
    assert.match(page, new RegExp(`^nodejs_eventloop_delay_seconds\\{quantile="${quantile}"\\} \\d`, 'm'));
  }
  assert.match(page, /^nodejs_heap_size_used_bytes [1-9]/m);
  assert.ok(metrics.registry.names.includes('nodejs_gc_duration_seconds'));
});
