// Searches for the parameters of `generate` whose decoding takes longest beside the model, and prints the worst of them:
//
//   node --expose-gc scripts/trials/decoder-cost.mjs [--minutes 5] [--seed 1] [--by ms|steps|rate|bytes]
//
// `--by rate` maximises milliseconds per counted step: it finds work that is counted too cheaply. `--by bytes` runs each
// request for longer and maximises the memory that it holds. Times are processor time, so that other processes do not count.
import { parseArgs } from 'node:util';

const testing = new URL('../../packages/decoding/dist/testing/', import.meta.url);
const { parametersOf } = await import(new URL('cost-search/cost-request.js', testing));
const { greedyStepMs } = await import(new URL('cost-search/measure-request.js', testing));
const { searchCost } = await import(new URL('cost-search/search-cost.js', testing));
const { seededUniforms } = await import(new URL('seeded-uniforms.js', testing));

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    by: { type: 'string', default: 'ms' },
  },
});

const worstMs = ({ parseMs, buildMs, advanceMs }) => Math.max(parseMs, buildMs, advanceMs);
const objectives = {
  ms: worstMs,
  steps: ({ steps }) => steps,
  rate: (cost) => (worstMs(cost) < 5 ? 0 : (1e6 * Math.max(cost.buildMs, cost.advanceMs)) / (cost.steps + 2e6)),
  bytes: ({ heldBytes }) => heldBytes,
};
const objective = objectives[values.by];
if (objective === undefined) throw new Error(`--by: expected ${Object.keys(objectives).join(', ')}, got ${values.by}`);

const search = searchCost({
  draw: seededUniforms(Number(values.seed)),
  evaluations: values.by === 'bytes' ? 40 : 3,
  objective,
  random: 0.3,
  kept: 12,
});
const warmUp = Array.from({ length: 30 }, () => search.next());
const baseline = greedyStepMs();
console.log(`64 plain rows: ${baseline.toFixed(1)} ms; ${warmUp.length} requests of warm-up`);

const end = Date.now() + 60_000 * Number(values.minutes);
let worst = [];
let requests = 0;
const outcomes = new Map();
while (Date.now() < end) {
  const measured = search.next().value;
  requests++;
  outcomes.set(measured.cost.outcome, (outcomes.get(measured.cost.outcome) ?? 0) + 1);
  worst.push(measured);
  worst.sort((a, b) => objective(b.cost) - objective(a.cost));
  worst = distinct(worst).slice(0, 15);
}

/** One of those with the same genes. */
function distinct(list) {
  const seen = new Set();
  return list.filter(({ request }) => {
    const key = Object.keys(request.genes).sort().join();
    return !seen.has(key) && seen.add(key);
  });
}

console.log(`${requests} requests: ${[...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}\n`);
console.log('| parse ms | build ms | step ms | x plain | million steps | MiB held | outcome | request |');
console.log('| ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |');
for (const { request, cost } of worst) {
  const { promptLength, promptKind, logits } = request;
  const shown = JSON.stringify({ ...parametersOf(request), prompt: [promptLength, promptKind], logits });
  const cells = [
    cost.parseMs.toFixed(0),
    cost.buildMs.toFixed(0),
    cost.advanceMs.toFixed(0),
    (worstMs(cost) / baseline).toFixed(1),
    (cost.steps / 1e6).toFixed(0),
    (cost.heldBytes / 2 ** 20).toFixed(1),
    cost.outcome,
    shown.length > 400 ? `${shown.slice(0, 400)}…` : shown,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
