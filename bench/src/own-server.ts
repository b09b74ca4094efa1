import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@gptj-cloud/server';
import type { CompletionServer } from './peer-server.ts';

const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const TOKEN = 'gptj_benchmark';

/** This project's server on a data folder of its own, which goes when it closes. */
export async function startOwnServer(
  model: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<CompletionServer> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-bench-'));
  const server = await serve(
    {
      port: 0,
      host: '127.0.0.1',
      dataDir: folder,
      modelPath: model,
      apiToken: TOKEN,
      maxRunningRuns: 64,
      maxWaitingRuns: 256,
    },
    { environment: { ...process.env, ...environment }, print: () => {}, log: () => {} },
  );
  return {
    name: 'gptj-cloud',
    async complete(prompt, tokens) {
      const parameters = { min_new_tokens: tokens, max_new_tokens: tokens, do_sample: false };
      const reply = await fetch(`${server.url}/v2/runs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ pipeline_id: PIPELINE, data: [prompt, parameters] }),
      });
      const run = (await reply.json()) as { run_state?: string };
      if (run.run_state !== 'complete') throw new Error(`the run ended with ${reply.status} ${JSON.stringify(run)}`);
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
