import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { postJson } from './post-json.ts';
import { terminate } from './terminate.ts';

/** A server that completes prompts over HTTP: gptj-cloud or a peer. */
export interface CompletionServer {
  readonly name: string;
  /** Generate exactly `tokens` tokens greedily. Resolves when the reply is complete. */
  complete(prompt: string, tokens: number): Promise<void>;
  /** Every call returns the same promise. */
  close(): Promise<void>;
}

/** Start llama-server with eight slots over one unified cache of `cells` positions, with its prompt cache. */
export async function startLlamaServer(program: string, model: string, cells: number): Promise<CompletionServer> {
  const port = await freePort();
  const args = ['-m', model, '--host', '127.0.0.1', '--port', `${port}`, '-np', '8', '-kvu', '-c', `${cells}`];
  const child = spawn(program, args, { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await untilHealthy(`${url}/health`, child);
  let closing: Promise<void> | null = null;
  return {
    name: 'llama-server',
    async complete(prompt, tokens) {
      const body = { prompt, n_predict: tokens, temperature: 0, ignore_eos: true, cache_prompt: true };
      const reply = await postJson(`${url}/completion`, body);
      const { tokens_predicted: predicted } = reply.body as { tokens_predicted?: number };
      if (predicted !== tokens) {
        throw new Error(
          `llama-server: expected ${tokens} tokens, got ${reply.status} ${JSON.stringify(reply.body).slice(0, 200)}`,
        );
      }
    },
    close() {
      closing ??= terminate(child);
      return closing;
    },
  };
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    if (child.exitCode !== null) throw new Error(`llama-server ended with ${child.exitCode}`);
    const ready = await fetch(url).then(
      (reply) => reply.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('llama-server did not become healthy within five minutes');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
