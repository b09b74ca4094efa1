import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ModelError } from '@gptj-cloud/model';
import type { EngineReport } from './engine-report.ts';

const PROBE_MAIN = new URL('./probe-main.js', import.meta.url);
/** Loading takes a second; a driver that hangs would take forever. */
const TIMEOUT_MS = 60_000;

/** Load the engines' libraries in a process of its own: one that aborts does not end the caller. Throws `engine_failed`. */
export async function probeEngines(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<EngineReport> {
  const child = fork(fileURLToPath(PROBE_MAIN), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...env, GGML_NO_BACKTRACE: '1' },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    signal,
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  return await new Promise((resolve, reject) => {
    child.once('message', (report) => resolve(report as EngineReport));
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      const reason = errors.trim().split('\n').at(-1) ?? '';
      const how = killedBy === null ? `ended with status ${code}` : `was ended by ${killedBy}`;
      reject(new ModelError('engine_failed', `the process that loads the engines ${how}: ${reason}`));
    });
  });
}
