import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runKillTrial } from '../testing/kill-trial.ts';

for (const [what, shards] of [
  ['in shards', 2],
  ['in one file', 1],
] as const) {
  test(`a pull of weights ${what} that is killed eight times ends with the same file, fetches no safe byte twice and leaves nothing`, async () => {
    const report = await runKillTrial({
      kills: 8,
      seed: 20220601,
      checkpoint: { layerCount: 3, embeddingSize: 384, shards },
      maxDelayMs: 1200,
      paceMs: 20,
    });
    assert.deepEqual(report.faults, []);
    assert.ok(report.completedPulls >= 1);
  });
}
