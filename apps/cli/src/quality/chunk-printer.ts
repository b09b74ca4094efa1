import type { CommandContext } from '../command.ts';
import { formatDuration } from '../figures.ts';
import { printable } from '../printable.ts';

/** Shows how many chunks of a text are done: one line that is redrawn; nothing where the output is no terminal. */
export function createChunkPrinter(
  { stderr, now }: CommandContext,
  label: string,
): (done: number, total: number) => void {
  const startedMs = now();
  return (done, total) => {
    if (stderr.columns === null) return;
    const leftMs = ((now() - startedMs) / done) * (total - done);
    const line = `chunk ${done} of ${total}, ${formatDuration(leftMs)} left  ${printable(label)}`;
    stderr.write(done === total ? '\r\u001b[K' : `\r${line.slice(0, stderr.columns - 1)}\u001b[K`);
  };
}
