import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CompletionServer } from './peer-server.ts';
import { postJson } from './post-json.ts';
import { terminate } from './terminate.ts';

const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const TOKEN = 'gptj_benchmark';
const COMMAND = fileURLToPath(new URL('../../apps/cli/bin/gptj.mjs', import.meta.url));

/** `gptj serve` through its two ways to a text. Both end with the same process. */
export interface OwnServer {
  /** Durable runs: `POST /v2/runs`, each stored with its input, result and metering before the reply. */
  readonly runs: CompletionServer;
  /** `POST /v1/completions`: metered, but not stored, as in peers. */
  readonly completions: CompletionServer;
  close(): Promise<void>;
}

/** Start `gptj serve` in a child process, like the peer, on a temporary data folder that `close` removes. */
export async function startOwnServer(
  model: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-bench-'));
  const child = spawn(process.execPath, [COMMAND, 'serve', '--port', '0', '--model', model, '--data-dir', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...process.env,
      GPTJ_API_TOKEN: TOKEN,
      MAX_RUNNING_RUNS: '64',
      MAX_WAITING_RUNS: '10000',
      ...environment,
    },
  });
  const url = await listeningAt(child);
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= terminate(child).then(() => rm(folder, { recursive: true }));
    return closing;
  };
  const post = (path: string, body: unknown) => postJson(`${url}${path}`, body, { authorization: `Bearer ${TOKEN}` });
  const exactly = (tokens: number) => ({ min_new_tokens: tokens, do_sample: false });
  return {
    runs: {
      name: 'gptj-cloud, runs',
      async complete(prompt, tokens) {
        const parameters = { ...exactly(tokens), max_new_tokens: tokens };
        const reply = await post('/v2/runs', { pipeline_id: PIPELINE, data: [prompt, parameters] });
        const { run_state: state } = reply.body as { run_state?: string };
        if (state !== 'complete') throw new Error(`the run ended with ${reply.status} ${JSON.stringify(reply.body)}`);
      },
      close,
    },
    completions: {
      name: 'gptj-cloud, completions',
      async complete(prompt, tokens) {
        const reply = await post('/v1/completions', { prompt, ...exactly(tokens), max_tokens: tokens });
        const { usage } = reply.body as { usage?: { completion_tokens?: number } };
        if (usage?.completion_tokens !== tokens)
          throw new Error(`expected ${tokens} tokens, got ${reply.status} ${JSON.stringify(reply.body)}`);
      },
      close,
    },
    close,
  };
}

async function listeningAt(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  try {
    for await (const line of lines) {
      const url = / listens on (\S+):/.exec(line)?.[1];
      if (url !== undefined) return url;
    }
  } finally {
    child.stdout?.resume();
  }
  throw new Error(`gptj serve ended with ${child.exitCode} before it listened; run it in a terminal for the reason`);
}
