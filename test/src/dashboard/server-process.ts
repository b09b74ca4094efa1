import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const GPTJ = fileURLToPath(new URL('../../../apps/cli/bin/gptj.mjs', import.meta.url));

/** A server in a process of its own, which a test can kill and start again on the same address and folder. */
export interface ServerProcess {
  readonly url: string;
  /** End the process as a power cut does. */
  kill(): Promise<void>;
  /** Start it again, and wait until it listens. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly print: (line: string) => void;
  readonly log: (line: string) => void;
}

export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  let { child, url } = await start(options, '0');
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return {
    url,
    kill: () => end('SIGKILL'),
    async restart() {
      ({ child, url } = await start(options, new URL(url).port));
    },
    close: () => end('SIGTERM'),
  };
}

async function start(
  { folder, environment, print, log }: ServerProcessOptions,
  port: string,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, [GPTJ, 'serve'], {
    env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...environment, DATA_DIR: folder, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = (take: (line: string) => void) => (chunk: string) => {
    for (const line of chunk.split('\n')) if (line !== '') take(line);
  };
  child.stderr.setEncoding('utf8').on('data', lines(log));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on(
      'data',
      lines((line) => {
        print(line);
        const address = /listens on (http:\/\/\S+?:\d+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      }),
    );
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the server ended with ${code ?? signal}`)));
  });
  return { child, url };
}
