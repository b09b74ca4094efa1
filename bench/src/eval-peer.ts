/** lm-evaluation-harness in a process of its own, that scores the documents of tasks when asked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { terminate } from './terminate.ts';

export interface PeerScores {
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Of the requests, in the order of documents and choices. */
  readonly logLikelihoods: readonly number[];
}

export interface EvalPeer {
  readonly versions: Readonly<Record<string, string>>;
  score(task: string, limit: number, batch: number): Promise<PeerScores>;
  close(): Promise<void>;
}

export interface PeerOptions {
  /** A Python with lm-eval, torch and transformers. */
  readonly python: string;
  /** Folders of the model in the form of Hugging Face, and of the documents as JSON Lines. */
  readonly model: string;
  readonly data: string;
  readonly tasks: readonly string[];
  readonly threads: number;
  readonly byProcessorTime: boolean;
}

const SCRIPT = fileURLToPath(new URL('../peers/lm_eval_tasks.py', import.meta.url));

export async function startPeer({
  python,
  model,
  data,
  tasks,
  threads,
  byProcessorTime,
}: PeerOptions): Promise<EvalPeer> {
  const args = [SCRIPT, 'serve', model, data, '--tasks', tasks.join(','), '--threads', String(threads)];
  // Threads of OpenMP that wait for each other spin: processor time would count it, and other programs make it long.
  const waiting = byProcessorTime ? { OMP_WAIT_POLICY: 'passive' } : {};
  const env = { ...process.env, ...waiting, OMP_NUM_THREADS: String(threads) };
  const child = spawn(python, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    errors = (errors + part).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failure = failed(child);
  // Waited for by the replies; a failure between two of them is that of the next one.
  failure.catch(() => {});
  const reply = async (): Promise<unknown> => {
    const line = await Promise.race([lines.next(), failure]);
    if (line.done === true) throw new Error(`${SCRIPT} ended: ${errors}`);
    return JSON.parse(line.value);
  };
  const { versions } = (await reply()) as Pick<EvalPeer, 'versions'>;
  return {
    versions,
    async score(task, limit, batch) {
      child.stdin.write(`${JSON.stringify({ task, limit, batch })}\n`);
      return (await reply()) as PeerScores;
    },
    close: () => terminate(child),
  };
}

function failed(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => child.once('error', reject));
}
