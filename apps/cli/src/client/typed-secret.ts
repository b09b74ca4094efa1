import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '../command.ts';

/** A signal that a process sends itself arrives within this time. */
const SIGNAL_MS = 1000;

type Terminal = Pick<CommandContext, 'stdin' | 'stderr' | 'signal'>;

/** Ask at the terminal; what is typed is not shown. Empty when the input ends. Throws when the command is interrupted. */
export async function typedSecret(terminal: Terminal, question: string): Promise<string> {
  return await typedLine(terminal, question, true);
}

/** Ask at the terminal. */
export async function typedText(terminal: Terminal, question: string): Promise<string> {
  return (await typedLine(terminal, question, false)).trim();
}

async function typedLine({ stdin, stderr, signal }: Terminal, question: string, isHidden: boolean): Promise<string> {
  signal.throwIfAborted();
  stderr.write(question);
  const shown = new Writable({
    write: (chunk, _encoding, done) => {
      if (!isHidden) stderr.write(String(chunk));
      done();
    },
  });
  const lines = createInterface({ input: stdin, output: shown, terminal: true });
  let interrupted = false;
  const line = await new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => {
      interrupted = true;
      lines.close();
    });
    lines.once('close', () => resolve(''));
    signal.addEventListener('abort', () => lines.close(), { once: true });
  });
  lines.close();
  if (isHidden) stderr.write('\n');
  if (interrupted) {
    // In raw mode Ctrl-C is a key: pass it on, so that the command ends as with the signal.
    process.kill(process.pid, 'SIGINT');
    await delay(SIGNAL_MS, undefined, { signal }).catch(() => undefined);
  }
  signal.throwIfAborted();
  return line;
}
