import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricsRegistry } from './registry.ts';

test('counters, gauges and histograms are rendered in the text format of Prometheus', async () => {
  const registry = new MetricsRegistry();
  const requests = registry.counter({ name: 'requests_total', help: 'Requests.' });
  const seconds = registry.histogram({ name: 'seconds', help: 'Times.' }, [0.1, 1]);
  registry.read({ name: 'depth', help: 'Depth.' }, 'gauge', () => [{ value: 3, labels: { state: 'running' } }]);
  requests.add(1, { status: '200' });
  requests.add(2, { status: '200' });
  for (const value of [0.1, 0.5, 7]) seconds.observe(value, { route: '/a' });
  assert.equal(
    await registry.render(),
    [
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{status="200"} 3',
      '# HELP seconds Times.',
      '# TYPE seconds histogram',
      'seconds_bucket{route="/a",le="0.1"} 1',
      'seconds_bucket{route="/a",le="1"} 2',
      'seconds_bucket{route="/a",le="+Inf"} 3',
      'seconds_sum{route="/a"} 7.6',
      'seconds_count{route="/a"} 3',
      '# HELP depth Depth.',
      '# TYPE depth gauge',
      'depth{state="running"} 3',
      '',
    ].join('\n'),
  );
});

test('a histogram counted by another component is rendered with cumulative buckets', async () => {
  const registry = new MetricsRegistry();
  registry.readHistogram({ name: 'batch', help: 'Batches.' }, () => [{ bounds: [1, 2], counts: [5, 0, 2], sum: 25 }]);
  assert.match(await registry.render(), /le="1"} 5\n.*le="2"} 5\n.*le="\+Inf"} 7\nbatch_sum 25\nbatch_count 7\n/);
});

test('a label value cannot inject a line', async () => {
  const registry = new MetricsRegistry();
  registry.counter({ name: 'c', help: 'C.' }).add(1, { l: 'a"} 1\nb{x="\\' });
  assert.ok((await registry.render()).endsWith('c{l="a\\"} 1\\nb{x=\\"\\\\"} 1\n'));
});

test('a metric has at most MAX_SERIES series', async () => {
  const registry = new MetricsRegistry();
  const counter = registry.counter({ name: 'c', help: 'C.' });
  for (let i = 0; i < 5000; i++) counter.add(1, { i: String(i) });
  counter.add(1, { i: '0' });
  const lines = (await registry.render()).split('\n').filter((line) => line.startsWith('c{'));
  assert.equal(lines.length, 1000);
  assert.equal(lines[0], 'c{i="0"} 2');
});

test('a metric that fails to read does not hide the others', async () => {
  const registry = new MetricsRegistry();
  registry.read({ name: 'broken', help: 'B.' }, 'gauge', () => Promise.reject(new Error('no')));
  registry.read({ name: 'sound', help: 'S.' }, 'gauge', () => [{ value: 1 }]);
  assert.equal(await registry.render(), '# HELP sound S.\n# TYPE sound gauge\nsound 1\n');
});
