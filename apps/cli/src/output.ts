import type { Writable } from 'node:stream';

/** Destination of a command's text: a stream of the process, or a recording in a test. */
export interface Output {
  write(text: string): void;
  /** Resolves when the stream has buffer space again, so that a slow reader slows the writer. */
  drained(): Promise<void>;
  /** Width of the terminal; null when the output is not a terminal. */
  readonly columns: number | null;
  /** Whether to use colours: on a terminal, unless NO_COLOR is set. */
  readonly colours: boolean;
}

/** Width of help and tables when the output is not a terminal. */
const PLAIN_WIDTH = 100;

/** A stream of the process as an Output. */
export function streamOutput(
  stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
  env: NodeJS.ProcessEnv,
): Output {
  const terminal = stream.isTTY === true;
  return {
    write(text) {
      stream.write(text);
    },
    drained() {
      if (!stream.writableNeedDrain) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          stream.off('drain', done).off('close', done).off('error', done);
          resolve();
        };
        stream.on('drain', done).on('close', done).on('error', done);
      });
    },
    get columns() {
      return terminal ? Math.max(20, stream.columns || 80) : null;
    },
    colours: terminal && !env.NO_COLOR && env.TERM !== 'dumb',
  };
}

/** Width in columns for text layout. */
export function widthOf(output: Output): number {
  return output.columns ?? PLAIN_WIDTH;
}

export function bold(output: Output, text: string): string {
  return output.colours ? `\u001b[1m${text}\u001b[22m` : text;
}

export function dim(output: Output, text: string): string {
  return output.colours ? `\u001b[2m${text}\u001b[22m` : text;
}
