import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CommandContext } from '../command.ts';

type Terminal = Pick<CommandContext, 'stdin' | 'stderr' | 'signal'>;

/** Ask at the terminal; what is typed is not shown. Empty when the input ends or the command is interrupted. */
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
  // In raw mode Ctrl-C is a key: pass it on, so that the command ends as with the signal.
  if (interrupted) process.kill(process.pid, 'SIGINT');
  return line;
}
