/**
 * Runs are submitted to a server that is killed with SIGKILL repeatedly, or whose engine is, while they are submitted and
 * while they are executed. In the end each run must have ended once, and be metered as its result says.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  GPTJ_PIPELINE_ID,
  isTerminal,
  type RunGet,
  runGetSchema,
  runPageSchema,
  usageGetSchema,
} from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { files, runs } from '../runs/run-tables.ts';
import { openStore } from '../store/db.ts';
import { childProcesses } from './child-processes.ts';

export interface CrashTrial {
  readonly runs: number;
  readonly kills: number;
  /** Share of the kills that end the engine's process and not the server. Default: none. */
  readonly engineShare?: number;
  readonly dataDir: string;
  /** Script and arguments for Node, of a server that prints its address. */
  readonly command: readonly string[];
  /** 0 ≤ x < 1: decides when to kill, and what. */
  readonly random: () => number;
  /** Gets a line for each kill. */
  readonly log?: (line: string) => void;
}

/** The outcome of the trial. */
export interface CrashReport {
  readonly complete: number;
  /** Failed runs during whose executions alone server or engine were killed twice. */
  readonly failedAfterMaxAttempts: number;
  /** Runs by the number of their executions. */
  readonly executions: Readonly<Record<number, number>>;
  readonly submissionsRepeated: number;
  readonly serverKills: number;
  readonly engineKills: number;
}

const TOKEN = 'crash-trial-token';
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const RESPONSE_LENGTH = 12;
const SUBMITTERS = 4;

/** Throws `AssertionError` when a run was lost, ended twice, or was metered wrongly. */
export async function runCrashTrial(trial: CrashTrial): Promise<CrashReport> {
  const server = new KilledServer(trial);
  await server.start();
  try {
    // Half of the kills come while runs are submitted, the others while they are executed.
    const early = Math.ceil(trial.kills / 2);
    const thresholds = Array.from({ length: early }, () => 1 + Math.floor(trial.random() * (trial.runs - 1)));
    const submitted = await submitAll(server, trial, thresholds);
    for (let kill = early; kill < trial.kills; kill++) {
      const { ended } = await server.counts();
      const target = ended + Math.floor(trial.random() * Math.min(20, Math.max(1, trial.runs - ended)));
      while ((await server.counts()).ended < target) await pause();
      const killed = await server.kill();
      trial.log?.(`${killed} killed after ${target} ends`);
    }
    while ((await server.counts()).ended < trial.runs) await pause();
    const runs = await server.runs();
    const report = checkRuns(runs, submitted, trial);
    await checkUsage(server, runs);
    await server.stop();
    const executions = await checkStore(trial.dataDir, report.complete);
    const { repeated: submissionsRepeated, serverKills, engineKills } = server;
    assert.equal(serverKills + engineKills, trial.kills);
    return { ...report, executions, submissionsRepeated, serverKills, engineKills };
  } finally {
    await server.close();
  }
}

async function submitAll(
  server: KilledServer,
  { runs, log }: CrashTrial,
  thresholds: readonly number[],
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  let next = 0;
  const submitter = async (): Promise<void> => {
    for (let index = next++; index < runs; index = next++) {
      const run = runGetSchema.parse(
        await server.ask('/v2/runs', {
          method: 'POST',
          headers: { ...HEADERS, 'idempotency-key': `run-${index}` },
          body: JSON.stringify({
            pipeline_id: GPTJ_PIPELINE_ID,
            data: [`number ${index}:`, { response_length: RESPONSE_LENGTH, do_sample: false }],
            async_run: true,
          }),
        }),
      );
      ids.add(run.id);
    }
  };
  const killer = async (): Promise<void> => {
    for (const threshold of [...thresholds].sort((a, b) => a - b)) {
      while (next < threshold) {
        server.throwIfOver();
        await pause();
      }
      const killed = await server.kill();
      log?.(`${killed} killed after ${next} submissions`);
    }
  };
  await Promise.all([...Array.from({ length: SUBMITTERS }, submitter), killer()]);
  return ids;
}

function checkRuns(
  runs: readonly RunGet[],
  submitted: ReadonlySet<string>,
  trial: CrashTrial,
): Pick<CrashReport, 'complete' | 'failedAfterMaxAttempts'> {
  assert.equal(runs.length, trial.runs, 'a run was lost, or made twice');
  assert.deepEqual(new Set(runs.map(({ id }) => id)), submitted);
  let complete = 0;
  for (const run of runs) {
    assert.ok(isTerminal(run.run_state), `run ${run.id} is ${run.run_state}`);
    if (run.run_state === 'complete') {
      complete++;
      assert.equal(run.usage?.generated_tokens, RESPONSE_LENGTH);
      assert.ok(Array.isArray(run.result_preview?.[0]));
    } else {
      assert.deepEqual([run.error, run.result], ['max_retries', null]);
    }
  }
  return { complete, failedAfterMaxAttempts: runs.length - complete };
}

/** The metered tokens are those of the results. */
async function checkUsage(server: KilledServer, runs: readonly RunGet[]): Promise<void> {
  const usage = usageGetSchema.parse(await server.ask('/v2/usage', { headers: HEADERS }));
  const sum = (of: (run: RunGet) => number | undefined): number => runs.reduce((all, run) => all + (of(run) ?? 0), 0);
  assert.equal(
    usage.total.generated_tokens,
    sum((run) => run.usage?.generated_tokens),
  );
  assert.equal(
    usage.total.computed_tokens,
    sum((run) => run.usage?.computed_tokens),
  );
  assert.equal(
    usage.total.prompt_tokens,
    sum((run) => run.usage?.prompt_tokens),
  );
}

/**
 * Each complete run has one result file, and no other run has one. A failed run was killed twice when it was executed
 * alone. Returns the number of runs by their executions.
 */
async function checkStore(dataDir: string, complete: number): Promise<CrashReport['executions']> {
  const store = await openStore(join(dataDir, 'postgres'));
  try {
    const rows = await store.db.select({ id: files.id }).from(files).where(eq(files.name, 'result'));
    assert.equal(rows.length, complete);
    const { id, attempts, ownDeaths, error } = runs;
    const executions: Record<number, number> = {};
    for (const run of await store.db.select({ id, attempts, ownDeaths, error }).from(runs)) {
      executions[run.attempts] = (executions[run.attempts] ?? 0) + 1;
      if (run.error !== null) assert.ok(run.ownDeaths >= 2, `run ${run.id} was killed ${run.ownDeaths} times alone`);
    }
    return executions;
  } finally {
    await store.close();
  }
}

/** A server in a child process, which is killed and restarted, and requests that are repeated until they are answered. */
class KilledServer {
  readonly #trial: CrashTrial;
  #child: ChildProcess | null = null;
  #url: Promise<string> = Promise.reject(new Error('not started'));
  /** The trial kills the server: its exit is expected. */
  #isKilling = false;
  /** The reason why no server will run again. */
  #over: Error | null = null;
  repeated = 0;
  serverKills = 0;
  engineKills = 0;

  constructor(trial: CrashTrial) {
    this.#trial = trial;
    this.#url.catch(() => undefined);
  }

  async start(): Promise<void> {
    this.throwIfOver();
    const { runs, dataDir, command } = this.#trial;
    const child = spawn(process.execPath, [...command], {
      env: {
        ...sharedEnvironment(),
        GPTJ_API_TOKEN: TOKEN,
        MAX_WAITING_RUNS: String(runs),
        LOG_LEVEL: 'error',
        DATA_DIR: dataDir,
        PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#isKilling = false;
    this.#url = new Promise((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
        const url = /listens on (http:\/\/\S+?:\d+)/.exec(text)?.[1];
        if (url !== undefined) resolve(url);
      });
      child.once('exit', (status, signal) => {
        const ended = new Error(`the server ended (${signal ?? `status ${status}`}): ${text}`);
        if (!this.#isKilling) this.#over ??= ended;
        reject(ended);
      });
    });
    this.#url.catch(() => undefined);
    await this.#url;
  }

  async #kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    this.#isKilling = true;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Stop the server with SIGTERM; requests under way have been answered. */
  async stop(): Promise<void> {
    await this.#kill('SIGTERM');
  }

  /** End the trial: requests that are still repeated fail. Idempotent. */
  async close(): Promise<void> {
    this.#over ??= new Error('the trial is over');
    await this.#kill('SIGKILL');
  }

  throwIfOver(): void {
    if (this.#over !== null) throw this.#over;
  }

  /** Kill the server and start it again, or kill its engine, which it starts again. */
  async kill(): Promise<'server' | 'engine'> {
    const { random, engineShare = 0 } = this.#trial;
    if (random() < engineShare) {
      // After an earlier kill a new engine is on its way.
      for (;;) {
        const [engine] = childProcesses(this.#child?.pid ?? 0);
        if (engine !== undefined) {
          this.engineKills++;
          process.kill(engine, 'SIGKILL');
          return 'engine';
        }
        this.throwIfOver();
        await pause();
      }
    }
    this.serverKills++;
    await this.#kill('SIGKILL');
    await this.start();
    return 'server';
  }

  /** The JSON of a reply; a request whose server was killed before it answered is sent again. */
  async ask(path: string, init: RequestInit): Promise<unknown> {
    for (;;) {
      try {
        const reply = await fetch((await this.#url) + path, init);
        const body: unknown = await reply.json();
        assert.ok(reply.ok, `${reply.status} ${JSON.stringify(body)}`);
        return body;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        this.throwIfOver();
        this.repeated++;
        await pause();
      }
    }
  }

  async counts(): Promise<{ readonly ended: number }> {
    const total = async (state: string): Promise<number> =>
      runPageSchema.parse(await this.ask(`/v2/runs?limit=1&run_state=${state}`, { headers: HEADERS })).total;
    return { ended: (await total('complete')) + (await total('failed')) };
  }

  async runs(): Promise<readonly RunGet[]> {
    const runs: RunGet[] = [];
    for (;;) {
      const path = `/v2/runs?limit=100&skip=${runs.length}&order_by=created_at:asc`;
      const page = runPageSchema.parse(await this.ask(path, { headers: HEADERS }));
      runs.push(...page.data);
      if (page.data.length === 0) return runs;
    }
  }
}

/** The variables that any program needs; settings, above all a database, must not reach the server under trial. */
function sharedEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TMP', 'TEMP', 'SystemRoot'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Give the server processor time: it may share a core with this process. */
async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
