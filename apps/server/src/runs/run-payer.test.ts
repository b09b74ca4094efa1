import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '@gptj-cloud/engine';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { currentMeter, type WorkMeter } from '../telemetry/work-meter.ts';
import { createFakeEngine } from '../testing/fake-model.ts';
import { openTestApp } from '../testing/test-app.ts';
import { until } from '../testing/until.ts';

test('a run that waited is work of its own request, not of the one whose end let it begin', async () => {
  const engine = createFakeEngine();
  const meters: (WorkMeter | undefined)[] = [];
  const generator: Engine = {
    ...engine,
    generate(request, signal) {
      meters.push(currentMeter());
      return engine.generate(request, signal);
    },
  };
  const it = await openTestApp({ generator, queue: { running: 1, waiting: 2 } });
  try {
    const body = { pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: 2 }] };
    engine.hold();
    const first = it.post('/v2/runs', body);
    await until(() => meters.length === 1);
    const second = it.post('/v2/runs', body);
    await until(() => it.runs.worker.size === 2);
    engine.resume();
    await Promise.all([first, second]);
    assert.deepEqual(
      meters.map((meter) => meter?.payer.split(':')[0]),
      ['user', 'user'],
    );
    assert.notEqual(meters[0], meters[1]);
  } finally {
    engine.resume();
    await it.close();
  }
});
