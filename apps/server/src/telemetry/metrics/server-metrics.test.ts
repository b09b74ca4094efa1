import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServerMetrics, readRunMetrics } from './server-metrics.ts';

test('a state without open runs is reported as 0', async () => {
  const metrics = createServerMetrics();
  let open: ReadonlyMap<string, number> = new Map();
  readRunMetrics(metrics, async () => open);
  const shown = async (): Promise<readonly string[]> =>
    (await metrics.registry.render()).split('\n').filter((line) => line.startsWith('gptj_runs_open'));
  assert.deepEqual(await shown(), ['gptj_runs_open{state="received"} 0', 'gptj_runs_open{state="running"} 0']);
  open = new Map([['running', 3]]);
  assert.deepEqual(await shown(), ['gptj_runs_open{state="received"} 0', 'gptj_runs_open{state="running"} 3']);
});
