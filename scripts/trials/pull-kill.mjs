// Pulls a model from a hub on this machine in a process that is killed with SIGKILL at random moments. The model file must be
// the same to the bit, progress must never fall, no byte below the journal may be fetched twice, and no file may be left.
//
//   node scripts/trials/pull-kill.mjs [--kills 50] [--seed N] [--shards 3]
import { parseArgs } from 'node:util';
import { runKillTrial } from '../../packages/model-store/dist/testing/kill-trial.js';

const { values } = parseArgs({
  options: { kills: { type: 'string' }, seed: { type: 'string' }, shards: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const kills = Number(values.kills ?? 50);
console.log(`seed ${seed}`);
const report = await runKillTrial({
  kills,
  seed,
  checkpoint: { layerCount: 4, embeddingSize: 512, shards: Number(values.shards ?? 3) },
  maxDelayMs: 2000,
  paceMs: 25,
  onKill: (count, phase) => console.log(`kill ${count} of ${kills}: ${phase}`),
});
console.log(`kills by the last event: ${JSON.stringify(report.kills)}`);
console.log(`${report.completedPulls} pulls completed, ${(report.downloadedBytes / 1e6).toFixed(1)} MB served`);
for (const fault of report.faults) console.log(fault);
process.exitCode = report.faults.length === 0 ? 0 : 1;
