import { Readable } from 'node:stream';
import { runCommandLine } from '../command-line.ts';
import { recordingOutput } from './recording-output.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunGptjOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Width of the terminal; absent: the output is no terminal. */
  readonly columns?: number;
  readonly stdin?: Readable & { readonly isTTY?: boolean };
  readonly signal?: AbortSignal;
}

/** Run a command line in this process and record its output. */
export async function runGptj(args: readonly string[], options: RunGptjOptions = {}): Promise<Ran> {
  const size = options.columns === undefined ? {} : { columns: options.columns };
  const stdout = recordingOutput(size);
  const stderr = recordingOutput(size);
  const status = await runCommandLine(args, {
    stdout: stdout.output,
    stderr: stderr.output,
    stdin: options.stdin ?? Readable.from([]),
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    now: () => performance.now(),
  });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}
