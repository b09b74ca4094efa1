// `node scripts/trials/long-tasks.mjs [--view write|tokens] [--tokens N] [--width PX] [--trace FILE]`
//
// Streams N tokens into the playground in Chromium, as text and as tokens with the heat map, and prints the tasks of the
// page's main thread that took longest. Fails when one took more than 50 ms. Wall time includes what the model and other
// processes took of the core, so an idle machine is needed; processor time holds on a busy one.
import { parseArgs } from 'node:util';
import { prepareWithDashboard } from '../prepare.mjs';

const MAX_TASK_MS = 50;
const SHOWN = 8;

const { values: options } = parseArgs({
  options: {
    view: { type: 'string' },
    tokens: { type: 'string', default: '2040' },
    width: { type: 'string', default: '1440' },
    trace: { type: 'string' },
  },
});
const failure = await prepareWithDashboard();
if (failure !== null) throw new Error(failure);
const { traceStream } = await import('../../test/dist/dashboard/long-tasks.js');
for (const view of options.view === undefined ? ['write', 'tokens'] : [options.view]) {
  const { trace, ...numbers } = options;
  const choice = { view, tokens: Number(numbers.tokens), width: Number(numbers.width), trace };
  const { seconds, tasks, frameMs } = await traceStream(choice);
  const long = tasks.filter(({ wallMs }) => wallMs > MAX_TASK_MS);
  const busy = Math.max(...tasks.map(({ processorMs }) => processorMs));
  console.log(
    `${view}: ${choice.tokens} tokens in ${seconds.toFixed(1)} s, ${long.length} tasks over ${MAX_TASK_MS} ms`,
  );
  console.log(`  at most ${busy.toFixed(1)} ms of processor time in a task`);
  console.log(`  processor time of a frame, by quarter: ${frameMs.map((ms) => ms.toFixed(1)).join(', ')} ms`);
  for (const { atMs, wallMs, processorMs, stages } of tasks.slice(0, SHOWN)) {
    const times = `${wallMs.toFixed(1)} ms (processor ${processorMs.toFixed(1)} ms)`;
    console.log(`  at ${(atMs / 1000).toFixed(1)} s: ${times}: ${stages.join(', ')}`);
  }
  if (long.length > 0) process.exitCode = 1;
}
