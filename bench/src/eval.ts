/**
 * Documents per second of the zero-shot tasks beside lm-evaluation-harness on transformers: the same documents, the same
 * weights in float32, the same threads, in turns. Both sides get texts and return log-likelihoods, tokenisation included.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';
import { findTask, readTaskDocuments } from '@gptj-cloud/evals';
import { type EvalPeer, startPeer } from './eval-peer.ts';
import { printReport, type Sample, type TaskMeasurement, toJson } from './eval-report.ts';
import { type EvalStep, type EvalSteps, EXACT_STEP, openSteps } from './eval-steps.ts';
import { writeHuggingFaceFolder } from './hugging-face-folder.ts';

export interface EvalBenchOptions {
  readonly model: string;
  readonly tasks: readonly string[];
  /** The first documents of each task. */
  readonly documents: number;
  readonly rounds: number;
  readonly threads: number;
  /** Processor time divided by the threads, where other programs use the cores. */
  readonly byProcessorTime: boolean;
  /** File for all numbers as JSON; null: none. */
  readonly json: string | null;
}

export const EVAL_BENCH_TASKS: readonly string[] = [
  'hellaswag',
  'piqa',
  'winogrande',
  'lambada_openai',
  'mathqa',
  'pubmedqa',
];
/** The peer is measured with the fastest of them for each task. */
const PEER_BATCHES = [1, 8, 32];
const INSTALL = `set LM_EVAL_PYTHON to a Python with lm-eval for the comparison:
  python3 -m venv lm-eval && lm-eval/bin/pip install torch transformers datasets accelerate lm-eval
  LM_EVAL_PYTHON=lm-eval/bin/python npm run bench -- eval
`;

export async function benchEval(options: EvalBenchOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-bench-eval-'));
  let steps: EvalSteps | null = null;
  let peer: EvalPeer | null = null;
  try {
    const exact = join(folder, 'f32.gguf');
    await convertCheckpoint({ source: options.model, target: exact, type: 'f32' });
    steps = await openSteps({ exact, stored: options.model, threads: options.threads });
    const python = process.env.LM_EVAL_PYTHON;
    if (python === undefined) console.log(INSTALL);
    else peer = await openPeer(python, exact, folder, options);
    const tasks: TaskMeasurement[] = [];
    for (const task of options.tasks) tasks.push(await measureTask(task, steps.steps, peer, options));
    const run = { ...options, steps: steps.steps, peerVersions: peer?.versions ?? null, tasks };
    printReport(run);
    if (options.json !== null) await writeFile(options.json, `${JSON.stringify(toJson(run), null, 1)}\n`);
  } finally {
    await peer?.close();
    await steps?.close();
    await rm(folder, { recursive: true });
  }
}

async function openPeer(
  python: string,
  exact: string,
  folder: string,
  { tasks, threads, byProcessorTime }: EvalBenchOptions,
): Promise<EvalPeer> {
  const [model, data] = [join(folder, 'model'), join(folder, 'data')];
  for (const each of [model, data]) await mkdir(each);
  await writeHuggingFaceFolder(exact, model);
  for (const name of tasks) {
    const task = findTask(name);
    const lines = (await readTaskDocuments(task)).map(({ fields }) => `${JSON.stringify(fields)}\n`);
    await writeFile(join(data, task.data!.file), lines.join(''));
  }
  return await startPeer({ python, model, data, tasks, threads, byProcessorTime });
}

async function measureTask(
  name: string,
  steps: readonly EvalStep[],
  peer: EvalPeer | null,
  options: EvalBenchOptions,
): Promise<TaskMeasurement> {
  const { documents: limit, rounds } = options;
  const documents = (await readTaskDocuments(findTask(name))).slice(0, limit);
  const requests = documents.flatMap((document) => document.requests);
  const score = async (step: EvalStep): Promise<Sample & { readonly logLikelihoods: readonly number[] }> => {
    const [startedMs, processor] = [performance.now(), process.cpuUsage()];
    const logLikelihoods = await step.logLikelihoods(requests);
    const { user, system } = process.cpuUsage(processor);
    const seconds = (performance.now() - startedMs) / 1000;
    return { seconds, processorSeconds: (user + system) / 1e6, logLikelihoods };
  };

  progress(`${name}: warm-up`);
  const first = peer === null ? null : await bestBatch(peer, name, options);
  const samples = new Map<string, Sample[]>(steps.map((step) => [step.name, []]));
  const differences: Record<string, number> = {};
  let tokens = { requested: 0, read: 0 };
  let expected = first?.logLikelihoods ?? null;
  for (const step of steps) {
    const before = { ...step.work! };
    const { logLikelihoods } = await score(step);
    expected ??= logLikelihoods;
    differences[step.name] = largestDifference(logLikelihoods, expected);
    const { requested, read } = step.work!;
    if (step.name === EXACT_STEP) tokens = { requested: requested - before.requested, read: read - before.read };
  }
  const peerSamples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`${name}: round ${round + 1} of ${rounds}`);
    if (peer !== null) peerSamples.push(toSample(await peer.score(name, limit, first!.batch)));
    for (const step of steps) samples.get(step.name)!.push(toSample(await score(step)));
  }
  progress('');
  return {
    task: name,
    documents: documents.length,
    requests: requests.length,
    tokens,
    peer: first === null ? null : { batch: first.batch, samples: peerSamples },
    samples: Object.fromEntries(samples),
    differences,
  };
}

async function bestBatch(
  peer: EvalPeer,
  task: string,
  { documents, byProcessorTime }: EvalBenchOptions,
): Promise<{ readonly batch: number; readonly seconds: number; readonly logLikelihoods: readonly number[] }> {
  // The first call of a process takes longer.
  await peer.score(task, 1, PEER_BATCHES[0]!);
  const tried = [];
  for (const batch of PEER_BATCHES) tried.push({ batch, ...(await peer.score(task, documents, batch)) });
  const field = byProcessorTime ? 'processorSeconds' : 'seconds';
  return tried.reduce((best, each) => (each[field] < best[field] ? each : best));
}

function toSample({ seconds, processorSeconds }: Sample): Sample {
  return { seconds, processorSeconds };
}

function largestDifference(got: readonly number[], expected: readonly number[]): number {
  if (got.length !== expected.length) throw new Error(`expected ${expected.length} scores, got ${got.length}`);
  return got.reduce((largest, value, at) => Math.max(largest, Math.abs(value - expected[at]!)), 0);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
