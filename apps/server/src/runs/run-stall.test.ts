import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '@gptj-cloud/engine';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { createFakeEngine } from '../testing/fake-model.ts';
import { openTestApp } from '../testing/test-app.ts';
import { until } from '../testing/until.ts';
import { runs } from './run-tables.ts';
import { hasStalled } from './run-tries.ts';

test('a run whose step may stall the engine is stored as such until the step returns', async () => {
  const fake = createFakeEngine();
  let resume = (): void => {};
  const held = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const generator: Engine = {
    ...fake,
    async *generate(request, signal) {
      for await (const event of fake.generate(request, signal)) {
        if (event.type === 'tokens') {
          yield { type: 'stalling' };
          await held;
        }
        yield event;
      }
    },
  };
  const it = await openTestApp({ generator });
  try {
    const isStored = async (expected: boolean): Promise<boolean> => {
      const rows = await it.store.db.select({ attempts: runs.attempts, ownDeaths: runs.ownDeaths }).from(runs);
      return rows.some((row) => hasStalled(row) === expected);
    };
    const reply = it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 1 }] });
    await until(() => isStored(true));
    resume();
    await until(() => isStored(false));
    assert.equal(runGetSchema.parse(await (await reply).json()).run_state, 'complete');
  } finally {
    await it.close();
  }
});
