/**
 * `npm run bench -- MODEL.gguf`: speed of the engine on a model file, compared with `llama-bench` on the same file in the
 * same run. Compare the ratios: absolute numbers vary with the load of the machine.
 */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spawnEngine } from '@gptj-cloud/engine';
import { benchApi } from './api.ts';
import { benchBeams } from './beams.ts';
import { benchDraft } from './draft.ts';
import { measureEngine } from './engine-rates.ts';
import { benchEval, EVAL_BENCH_TASKS } from './eval.ts';
import { findPeer } from './find-peer.ts';
import { benchKernels } from './kernels.ts';
import { isPeerSet, runLlamaBench, withOneVariant } from './llama-bench.ts';
import { benchServe } from './serve.ts';
import { measureServer } from './server-overhead.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';
import { benchWarpers } from './warpers.ts';

const USAGE = `npm run bench -- MODEL.gguf [--prompt 128] [--generate 32] [--rounds 5] [--threads N] [--set AVX2] [--no-server]
npm run bench -- serve MODEL.gguf [--generate 32] [--rounds 3] [--cells 16384] [--warm-up 400] [--only 'b: 8']
npm run bench -- api MODEL.gguf
npm run bench -- draft MODEL.gguf [--draft DRAFT.gguf] [--generate 32] [--rounds 5] [--clients 1] [--threads 2] [--processor-time]
npm run bench -- eval [MODEL.gguf] [--documents 40] [--tasks NAMES] [--rounds 5] [--threads 2] [--processor-time] [--json FILE]
npm run bench -- warpers
npm run bench -- kernels [--threads N] [--rounds 7]

Prefill and decode tokens/s of the engine beside llama-bench on the same file (ratio above 1: the engine is faster),
load time, and the time that the server adds to a run. The peer is LLAMA_BENCH, else llama-bench on the PATH, else the one that
\`npm run bench:peers\` builds against the libraries that the engine loads. --set makes both use one instruction set: AVX2, AVX-512.

serve: several clients over HTTP, compared with llama-server on the same file: LLAMA_SERVER, else on the PATH, else the
one that \`npm run bench:peers -- --server\` builds. A GPT-J-6B needs few requests to warm up: --warm-up 8 --cells 8192. --only: the scenarios whose name begins so.
api: latency that the server adds with 50 clients; with DATABASE_URL also on PostgreSQL.
draft: tokens/s with a draft model (default: the embedded one) whose tokens agree at chosen rates, beside none.
eval: documents/s of the zero-shot tasks (default: on the embedded model), in steps from llama.cpp with one request at a time,
compared with lm-evaluation-harness on transformers where LM_EVAL_PYTHON names a Python that has it.
warpers: time to process the scores of one token.
kernels: products of a 6B layer as shares of the multiplier and of the memory, both measured beside them.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prompt: { type: 'string', default: '128' },
    generate: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    set: { type: 'string' },
    cells: { type: 'string', default: '16384' },
    only: { type: 'string' },
    'warm-up': { type: 'string', default: '400' },
    clients: { type: 'string', default: '1' },
    draft: { type: 'string' },
    documents: { type: 'string', default: '40' },
    tasks: { type: 'string' },
    json: { type: 'string' },
    'processor-time': { type: 'boolean', default: false },
    'no-server': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (positionals[0] === 'warpers') {
  benchWarpers();
  process.exit(0);
}
if (positionals[0] === 'kernels') {
  benchKernels({
    ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
    rounds: Number(values.rounds),
  });
  process.exit(0);
}
const [command] = positionals;
const embedded = fileURLToPath(new URL('../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));
if (command === 'eval') {
  await benchEval({
    model: positionals[1] ?? embedded,
    tasks: values.tasks?.split(',') ?? EVAL_BENCH_TASKS,
    documents: Number(values.documents),
    rounds: Number(values.rounds),
    threads: Number(values.threads ?? 2),
    byProcessorTime: values['processor-time'],
    json: values.json ?? null,
  });
  process.exit(0);
}
const hasCommand = command === 'serve' || command === 'api' || command === 'draft';
const model = positionals[hasCommand ? 1 : 0];
if (values.help || model === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
const [prompt, generated, rounds] = [Number(values.prompt), Number(values.generate), Number(values.rounds)];
if (command === 'api') {
  await benchApi({
    model,
    clients: 50,
    rounds: 6,
    tokens: Math.min(generated, 8),
    cells: Number(values.cells),
  });
  process.exit(0);
}
if (command === 'draft') {
  await benchDraft({
    model,
    draft: values.draft ?? embedded,
    generated,
    rounds,
    clients: Number(values.clients),
    threads: Number(values.threads ?? 2),
    byProcessorTime: values['processor-time'],
  });
  process.exit(0);
}
if (command === 'serve') {
  await benchServe({
    model,
    rounds: Math.min(rounds, 3),
    generated,
    cells: Number(values.cells),
    warmUpRequests: Number(values['warm-up']),
    only: values.only ?? null,
  });
  if (values.only === undefined) await benchBeams(model, Math.min(generated, 16), Math.min(rounds, 3));
  process.exit(0);
}
const found = findPeer('llama-bench', 'LLAMA_BENCH');
if (found === null) console.log('found no llama-bench: run `npm run bench:peers` for the comparison.\n');
const { set } = values;
if (set !== undefined && !isPeerSet(set)) throw new Error(`--set: expected AVX2 or AVX-512, got ${set}`);
const variant = found === null || set === undefined ? null : withOneVariant(found, set);
const peer = variant?.program ?? found;

const threads = values.threads === undefined ? undefined : Number(values.threads);
const engine = await spawnEngine({
  path: model,
  ...(threads === undefined ? {} : { threads }),
  ...(set === undefined ? {} : { kind: 'kernels', instructionSet: set }),
});
const { info } = engine;
console.log(
  `${model}: ${info.quantisation}, ${(statSync(model).size / 1e9).toFixed(2)} GB, loaded in ${(info.loadMs / 1000).toFixed(2)} s\n`,
);

const ours = { prefill: [] as number[], decode: [] as number[] };
const theirs = { prefill: [] as number[], decode: [] as number[] };
await measureEngine(engine, prompt, 1); // warm-up: pages, caches, threads
for (let round = 0; round < rounds; round++) {
  progress(`round ${round + 1} of ${rounds}: engine`);
  const rates = await measureEngine(engine, prompt, generated);
  ours.prefill.push(rates.prefill);
  ours.decode.push(rates.decode);
  if (peer === null) continue;
  progress(`round ${round + 1} of ${rounds}: llama-bench`);
  const peerRates = runLlamaBench(peer, { model, prompt, generated, repetitions: 1, threads: threads ?? null });
  theirs.prefill.push(...peerRates.prefill);
  theirs.decode.push(...peerRates.decode);
}
progress('');
const row = (name: string, mine: readonly number[], other: readonly number[]): string[] => [
  name,
  median(mine).toFixed(2),
  median(other).toFixed(2),
  median(mine.map((rate, i) => rate / (other[i] ?? Number.NaN))).toFixed(3),
];
console.log(
  table(
    ['median of rounds', 'engine tok/s', 'llama-bench tok/s', 'ratio'],
    [row(`prefill ${prompt}`, ours.prefill, theirs.prefill), row(`decode ${generated}`, ours.decode, theirs.decode)],
  ),
);

if (!values['no-server']) {
  progress('server');
  const { engineMs, serverMs } = await measureServer(engine, model, 8, Math.max(rounds, 10));
  progress('');
  console.log(
    `\nA run of 8 tokens: ${engineMs.toFixed(1)} ms on the engine, ${serverMs.toFixed(1)} ms through the server: ${(serverMs - engineMs).toFixed(1)} ms added.`,
  );
}
await engine.close();
variant?.remove();

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
