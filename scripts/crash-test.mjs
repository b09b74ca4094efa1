// `node scripts/crash-test.mjs [RUNS] [KILLS]`: submit runs to a server with the embedded model, kill it with -9 again
// and again, and see that every run ends once and is metered as its result says.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const [runs = 200, kills = 10] = process.argv.slice(2).map(Number);
const { runCrashTrial } = await import(join(root, 'apps/server/dist/testing/crash-trial.js'));
const dataDir = await mkdtemp(join(tmpdir(), 'gptj-crash-'));
const started = Date.now();
try {
  const command = [join(root, 'apps/cli/dist/main.js'), 'serve'];
  const report = await runCrashTrial({ runs, kills, dataDir, command, random: Math.random, log: console.log });
  console.log(`${runs} runs in ${((Date.now() - started) / 1000).toFixed(0)} s`, report);
} finally {
  await rm(dataDir, { recursive: true });
}
