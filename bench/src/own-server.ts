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

/** Start `gptj serve` in a child process, like the peer, on a temporary data folder that `close` removes. */
export async function startOwnServer(
  model: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<CompletionServer> {
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
  const close = async (): Promise<void> => {
    await terminate(child);
    await rm(folder, { recursive: true });
  };
  let closing: Promise<void> | null = null;
  return {
    name: 'gptj-cloud',
    async complete(prompt, tokens) {
      const parameters = { min_new_tokens: tokens, max_new_tokens: tokens, do_sample: false };
      const body = { pipeline_id: PIPELINE, data: [prompt, parameters] };
      const reply = await postJson(`${url}/v2/runs`, body, { authorization: `Bearer ${TOKEN}` });
      const { run_state: state } = reply.body as { run_state?: string };
      if (state !== 'complete') throw new Error(`the run ended with ${reply.status} ${JSON.stringify(reply.body)}`);
    },
    close() {
      closing ??= close();
      return closing;
    },
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
