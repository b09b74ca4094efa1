/**
 * Pulls a model in a child process that is killed with SIGKILL at random moments, started again, and killed again. What must
 * hold is checked after every end of a process: see `KillReport`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LoopbackHub, type Served, startLoopbackHub } from './loopback-hub.ts';
import { type RandomCheckpointOptions, randomCheckpoint } from './random-checkpoint.ts';

export interface KillReport {
  /** Kills by the last event that the process had printed; `start` before the first. */
  readonly kills: Readonly<Record<string, number>>;
  readonly completedPulls: number;
  readonly downloadedBytes: number;
  /** What did not hold, in words. Empty: all did. */
  readonly faults: readonly string[];
}

export interface KillTrialOptions {
  readonly kills: number;
  readonly seed: number;
  readonly checkpoint: RandomCheckpointOptions;
  /** Kills come at most this long after the first event of a process; one in ten comes at most this long after its start. */
  readonly maxDelayMs: number;
  readonly paceMs: number;
  readonly onKill?: (count: number, phase: string) => void;
}

/** Bytes of a file that the journal calls safe: start and end of each run. */
type Ranges = readonly (readonly [start: number, end: number])[];

interface End {
  readonly wasKilled: boolean;
  readonly phase: string;
  /** Of every download event. */
  readonly progress: readonly number[];
  readonly sha256: string | null;
}

const CHILD = fileURLToPath(new URL('./pull-child.js', import.meta.url));

export async function runKillTrial(options: KillTrialOptions): Promise<KillReport> {
  const { kills: wanted, seed, checkpoint, maxDelayMs, paceMs, onKill } = options;
  const random = seededRandom(seed);
  const files = randomCheckpoint(checkpoint);
  const hub = await startLoopbackHub({ repository: 'EleutherAI/gpt-j-6b', files, paceMs });
  const base = await mkdtemp(join(tmpdir(), 'gptj-kill-'));
  const kills: Record<string, number> = {};
  const faults: string[] = [];
  let completedPulls = 0;
  let killCount = 0;
  try {
    const reference = await runChild(hub, join(base, 'reference'), null);
    const models = join(base, 'models');
    let reached = 0;
    for (let isLast = false; !isLast; ) {
      isLast = killCount === wanted;
      const safe = await safeRanges(models);
      const before = hub.served.length;
      const kill = { afterMs: random() * maxDelayMs, fromStart: random() < 0.1 };
      const end = await runChild(hub, models, isLast ? null : kill);
      faults.push(...refetched(hub.served.slice(before), safe));
      for (const bytes of end.progress) {
        if (bytes < reached) faults.push(`progress fell from ${reached} to ${bytes}`);
        reached = bytes;
      }
      if (end.wasKilled) {
        killCount++;
        kills[end.phase] = (kills[end.phase] ?? 0) + 1;
        onKill?.(killCount, end.phase);
      }
      if (end.sha256 === null) continue;
      completedPulls++;
      faults.push(...(await checkStore(models, end.sha256, reference.sha256)));
      await rm(models, { recursive: true });
      reached = 0;
    }
  } finally {
    await hub.close();
    await rm(base, { recursive: true, force: true });
  }
  const downloadedBytes = hub.served.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  return { kills, completedPulls, downloadedBytes, faults };
}

/** Run the child to its end, or kill it after a time. */
async function runChild(
  hub: LoopbackHub,
  models: string,
  kill: { readonly afterMs: number; readonly fromStart: boolean } | null,
): Promise<End> {
  const child = spawn(process.execPath, [CHILD, hub.url, models], { stdio: ['ignore', 'pipe', 'pipe'] });
  let timer: NodeJS.Timeout | null = null;
  const killLater = (): void => {
    if (kill !== null) timer ??= setTimeout(() => child.kill('SIGKILL'), kill.afterMs);
  };
  if (kill?.fromStart === true) killLater();
  let [output, errors] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString('utf8');
    killLater();
  });
  child.stderr.on('data', (piece: Buffer) => {
    errors += piece.toString('utf8');
  });
  const [status, signal] = await once(child, 'close');
  if (timer !== null) clearTimeout(timer);
  if (status !== 0 && signal !== 'SIGKILL') throw new Error(`the process ended with ${status ?? signal}: ${errors}`);
  const events = output
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line): { type: string; doneBytes?: number; sha256?: string } => JSON.parse(line));
  const last = events.at(-1);
  return {
    wasKilled: signal === 'SIGKILL',
    phase: last?.type ?? 'start',
    progress: events.flatMap(({ type, doneBytes }) =>
      type === 'download' && doneBytes !== undefined ? [doneBytes] : [],
    ),
    sha256: last?.sha256 ?? null,
  };
}

/** What is on the disk for good, by the names of files. Reads the journal without the code that writes it. */
async function safeRanges(models: string): Promise<ReadonlyMap<string, Ranges>> {
  const ranges = new Map<string, Ranges>();
  const entries = await readdir(models, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.name.endsWith('.safetensors')) ranges.set(entry.name, [[0, Number.POSITIVE_INFINITY]]);
    if (entry.name.endsWith('.gguf.state')) {
      // Shards that have been converted, and are gone.
      const { files }: { files: object } = JSON.parse(await readFile(path, 'utf8'));
      for (const name of Object.keys(files)) ranges.set(name, [[0, Number.POSITIVE_INFINITY]]);
    }
    if (!entry.name.endsWith('.journal')) continue;
    const [header = '', ...lines] = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    if (header === '') continue;
    const { segmentBytes }: { segmentBytes: number } = JSON.parse(header);
    const safe = new Map<number, number>(lines.flatMap((line): [number, number][] => JSON.parse(line)));
    ranges.set(
      entry.name.slice(0, -'.journal'.length),
      [...safe].map(([segment, bytes]) => [segment * segmentBytes, segment * segmentBytes + bytes]),
    );
  }
  return ranges;
}

function refetched(served: readonly Served[], safe: ReadonlyMap<string, Ranges>): readonly string[] {
  return served.flatMap(({ file, start, sentBytes }) =>
    (safe.get(file) ?? []).flatMap(([from, to]) => {
      const bytes = Math.min(to, start + sentBytes) - Math.max(from, start);
      return bytes > 0 ? [`${bytes} safe bytes of ${file} were fetched again, from ${start} on`] : [];
    }),
  );
}

async function checkStore(models: string, sha256: string, expected: string | null): Promise<readonly string[]> {
  const names = (await readdir(models)).sort();
  const wanted = [`gpt-j-6b.q8_0-${sha256.slice(0, 12)}.gguf`, 'gpt-j-6b.q8_0.json'];
  return [
    ...(sha256 === expected ? [] : [`the model file has the SHA-256 ${sha256}, not ${expected}`]),
    ...(names.join() === wanted.sort().join() ? [] : [`the store has ${names.join(', ')}`]),
  ];
}

/** mulberry32, from 0 to 1. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
