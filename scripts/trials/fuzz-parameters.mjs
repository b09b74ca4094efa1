// `node scripts/trials/fuzz-parameters.mjs [COUNT] [SEED]`: random requests through the parsers of every API, in this
// process. Fails when one throws anything but a typed error, or takes over a second of this process's time.
import { join } from 'node:path';
import { prepare, root } from '../prepare.mjs';

const [count = 100_000, seed = Date.now() % 2 ** 32] = process.argv.slice(2).map(Number);
await prepare();
const { fuzzParameters } = await import(join(root, 'apps/server/dist/testing/parameter-fuzz.js'));
const { embeddedModelPath } = await import(join(root, 'apps/server/dist/embedded-model.js'));
const { openTokenizer } = await import(join(root, 'packages/engine/dist/index.js'));

const MAX_MS = 1000;
const BATCH = 10_000;
const tokenizer = await openTokenizer(await embeddedModelPath());
const codes = new Map();
let accepted = 0;
let slowest = { ms: 0, body: '' };
let usage = process.cpuUsage();
console.log(`seed ${seed}`);
for (let at = 0; at < count; at += BATCH) {
  const report = fuzzParameters({
    tokenizer,
    count: Math.min(BATCH, count - at),
    seed: seed + at,
    // Time of the processor: other processes do not count.
    onRequest(_, body) {
      const { user, system } = process.cpuUsage(usage);
      const ms = (user + system) / 1000;
      if (ms > slowest.ms) slowest = { ms, body };
      usage = process.cpuUsage();
    },
  });
  accepted += report.accepted;
  for (const [code, times] of report.codes) codes.set(code, (codes.get(code) ?? 0) + times);
  process.stderr.write(`\r${Math.min(count, at + BATCH)} requests, slowest ${slowest.ms.toFixed(0)} ms  `);
}
process.stderr.write('\n');
console.log(`${count} requests: ${accepted} accepted, refused ${JSON.stringify(Object.fromEntries(codes))}`);
console.log(
  `slowest: ${slowest.ms.toFixed(1)} ms for ${slowest.body.length} characters: ${slowest.body.slice(0, 300)}`,
);
process.exit(slowest.ms > MAX_MS ? 1 : 0);
