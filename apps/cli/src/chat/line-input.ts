/** Lines of a terminal with editing, history and completion, or of a pipe. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CommandContext } from '../command.ts';

export interface LineInput {
  /** The next line; null at the end of the input, or when the user leaves by Ctrl-C. */
  next(prompt: string): Promise<string | null>;
  /** Call `work` with a signal that Ctrl-C aborts. Typed keys are not shown meanwhile; typed lines are read afterwards. */
  interruptible<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value>;
  close(): void;
}

export interface LineInputOptions {
  /** Completions of the words before the cursor. */
  readonly complete: (line: string) => readonly string[];
  /** Printed at the first Ctrl-C of an empty line; the second one ends the input. */
  readonly leaveHint: string;
}

export function openLineInput(
  { stdin, stdout, signal }: Pick<CommandContext, 'stdin' | 'stdout' | 'signal'>,
  { complete, leaveHint }: LineInputOptions,
): LineInput {
  const isTerminal = stdin.isTTY === true && stdout.columns !== null;
  let muted = true;
  const shown = new Writable({
    write: (chunk, _encoding, done) => {
      if (!muted) stdout.write(String(chunk));
      done();
    },
  });
  Object.defineProperty(shown, 'columns', { get: () => stdout.columns ?? undefined });
  const lines = createInterface({
    input: stdin,
    output: shown,
    terminal: isTerminal,
    historySize: 500,
    completer: (line: string) => [complete(line), line],
  });
  const waiting: string[] = [];
  let isClosed = false;
  let wantsToLeave = false;
  /** Takes the next line, or null. */
  let reader: ((line: string | null) => void) | null = null;
  let work: AbortController | null = null;

  const deliver = (line: string | null): void => {
    const take = reader;
    reader = null;
    muted = true;
    take?.(line);
  };
  lines.on('line', (line) => {
    wantsToLeave = false;
    if (reader === null) waiting.push(line);
    else deliver(line);
  });
  lines.on('close', () => {
    isClosed = true;
    deliver(null);
  });
  lines.on('SIGINT', () => {
    if (work !== null) {
      work.abort();
      return;
    }
    const isEmpty = lines.line === '';
    if (isEmpty && wantsToLeave) {
      lines.close();
      return;
    }
    wantsToLeave = isEmpty;
    stdout.write(isEmpty ? `\n${leaveHint}\n` : '\n');
    // Ctrl-U: an interrupted line is discarded.
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    lines.prompt();
  });
  const onAbort = (): void => lines.close();
  signal.addEventListener('abort', onAbort, { once: true });

  return {
    next(prompt) {
      const [line] = waiting.splice(0, 1);
      if (line !== undefined) return Promise.resolve(line);
      if (isClosed) return Promise.resolve(null);
      return new Promise((resolve) => {
        reader = resolve;
        if (!isTerminal) return;
        muted = false;
        lines.setPrompt(prompt);
        lines.prompt();
      });
    },
    async interruptible(start) {
      const controller = new AbortController();
      work = controller;
      try {
        return await start(AbortSignal.any([controller.signal, signal]));
      } finally {
        work = null;
      }
    },
    close() {
      signal.removeEventListener('abort', onAbort);
      lines.close();
    },
  };
}
