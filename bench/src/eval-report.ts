import { cpus, loadavg } from 'node:os';
import { basename } from 'node:path';
import { type EvalStep, EXACT_STEP } from './eval-steps.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

export interface Sample {
  readonly seconds: number;
  readonly processorSeconds: number;
}

export interface TaskMeasurement {
  readonly task: string;
  readonly documents: number;
  readonly requests: number;
  /** Of all requests, each by itself, and those that are read where shared ones are read once. */
  readonly tokens: { readonly requested: number; readonly read: number };
  /** Requests per batch, and a sample a round. */
  readonly peer: { readonly batch: number; readonly samples: readonly Sample[] } | null;
  /** By the name of the step, a sample a round. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
  /** Of each step: largest difference of a log-likelihood from the peer's; without a peer, from the first step's. */
  readonly differences: Readonly<Record<string, number>>;
}

export interface EvalBenchRun {
  readonly model: string;
  readonly threads: number;
  readonly rounds: number;
  readonly byProcessorTime: boolean;
  readonly steps: readonly EvalStep[];
  readonly peerVersions: Readonly<Record<string, string>> | null;
  readonly tasks: readonly TaskMeasurement[];
}

const PEER = 'lm-eval';

/** Documents per second of every step, then how many times faster each step makes the one before it. */
export function printReport(run: EvalBenchRun): void {
  const { steps, tasks, peerVersions, threads, byProcessorTime } = run;
  const names = steps.map(({ name }) => name);
  const load = loadavg()[0]!.toFixed(1);
  console.log(
    `${basename(run.model)}, ${threads} threads, ${byProcessorTime ? 'processor time divided by them' : 'time'}, load ${load}, median of ${run.rounds} rounds`,
  );
  for (const { name, adds } of steps) console.log(`  ${name}: ${adds}`);
  if (peerVersions !== null) {
    const versions = Object.entries(peerVersions).map(([name, version]) => `${name} ${version}`);
    console.log(`  ${PEER}: ${versions.join(', ')}, float32, the fastest of its batch sizes`);
  }
  const rate = (task: TaskMeasurement, samples: readonly Sample[]): string =>
    median(timesOf(samples, run).map((time) => task.documents / time)).toFixed(1);
  const reference = peerVersions === null ? steps[0]!.name : PEER;
  console.log(
    `\ndocuments per second; difference: the largest one of a log-likelihood between ${EXACT_STEP} and ${reference}`,
  );
  console.log(
    table(
      ['task', 'documents', ...(peerVersions === null ? [] : [`${PEER} (batch)`]), ...names, 'difference'],
      tasks.map((task) => [
        task.task,
        String(task.documents),
        ...(task.peer === null ? [] : [`${rate(task, task.peer.samples)} (${task.peer.batch})`]),
        ...names.map((name) => rate(task, task.samples[name]!)),
        task.differences[EXACT_STEP]!.toExponential(1),
      ]),
    ),
  );
  console.log(`\ntimes faster than the column before it, and in all from ${reference} to ${EXACT_STEP}`);
  console.log(
    table(
      ['task', ...names.slice(peerVersions === null ? 1 : 0), 'in all', 'tokens by sharing'],
      tasks.map((task) => {
        const { factors, inAll } = factorsOf(run, task);
        const saved = (task.tokens.requested / task.tokens.read).toFixed(2);
        return [task.task, ...factors.map(({ factor }) => factor.toFixed(2)), inAll.toFixed(2), saved];
      }),
    ),
  );
}

/** All numbers, with those that the tables show. */
export function toJson(run: EvalBenchRun): unknown {
  const { steps, tasks, ...rest } = run;
  return {
    ...rest,
    processor: cpus()[0]?.model ?? null,
    load: loadavg(),
    steps: steps.map(({ name, adds }) => ({ name, adds })),
    tasks: tasks.map((task) => ({ ...task, ...factorsOf(run, task) })),
  };
}

interface Factors {
  /** Of the steps after the first one, and of the first one where there is a peer. */
  readonly factors: readonly { readonly name: string; readonly factor: number }[];
  /** Of the step with float32 weights that has everything. */
  readonly inAll: number;
}

/** Medians of the ratios within a round, which the load of the machine changes less than the rates. */
function factorsOf(run: EvalBenchRun, { peer, samples }: TaskMeasurement): Factors {
  const columns = [
    ...(peer === null ? [] : [{ name: PEER, times: timesOf(peer.samples, run) }]),
    ...run.steps.map(({ name }) => ({ name, times: timesOf(samples[name]!, run) })),
  ];
  const ratio = (before: readonly number[], after: readonly number[]): number =>
    median(before.map((time, round) => time / after[round]!));
  return {
    factors: columns.slice(1).map(({ name, times }, at) => ({ name, factor: ratio(columns[at]!.times, times) })),
    inAll: ratio(columns[0]!.times, columns.find(({ name }) => name === EXACT_STEP)!.times),
  };
}

function timesOf(samples: readonly Sample[], { byProcessorTime, threads }: EvalBenchRun): readonly number[] {
  return samples.map(({ seconds, processorSeconds }) => (byProcessorTime ? processorSeconds / threads : seconds));
}
