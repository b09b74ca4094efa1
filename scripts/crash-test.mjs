// `node scripts/crash-test.mjs [RUNS] [KILLS]`: submit runs to a server with the embedded model, kill it or its engine with
// -9 repeatedly, and check that every run ends once and is metered according to its result.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

const [runs = 200, kills = 10, ...more] = process.argv.slice(2).map(Number);
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(kills) || kills < 0 || more.length > 0) {
  console.error('usage: node scripts/crash-test.mjs [RUNS, at least 1] [KILLS]');
  process.exit(2);
}
await prepare();
const { runCrashTrial } = await import(join(root, 'apps/server/dist/testing/crash-trial.js'));
const dataDir = await mkdtemp(join(tmpdir(), 'gptj-crash-'));
const started = Date.now();
try {
  const command = [join(root, 'apps/cli/bin/gptj.mjs'), 'serve'];
  const random = Math.random;
  const report = await runCrashTrial({ runs, kills, engineShare: 0.5, dataDir, command, random, log: console.log });
  const { executions, ...counts } = report;
  console.log(`${runs} runs in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  console.table(counts);
  console.table(Object.entries(executions).map(([count, number]) => ({ executions: Number(count), runs: number })));
} catch (error) {
  console.error(error);
  console.error(`failed; the server's data are kept in ${dataDir}`);
  process.exit(1);
}
await rm(dataDir, { recursive: true });
