/** Prints the text of a run while the server generates it. */
import { hasEnded, type Run, type RunStream, throwIfFailed } from '@gptj-cloud/sdk';
import type { CommandContext } from '../command.ts';
import { dim } from '../output.ts';
import { printable } from '../printable.ts';
import type { TextPrinter } from '../text-printer.ts';
import { runLine, textsOf } from './run-report.ts';

/** Read the stream to its end and print the text of its run. Throws `RunFailedError` for a failed run. */
export async function printRun(
  context: Pick<CommandContext, 'stdout' | 'stderr'>,
  stream: RunStream,
  printer: TextPrinter,
): Promise<Run> {
  const { stdout, stderr } = context;
  let shown = 0;
  let ended: Run | null = null;
  printer.begin();
  for await (const event of stream) {
    if (event.type === 'token' && event.index === 0) {
      shown += event.text.length;
      await printer.push(event.text);
    } else if (event.type === 'run' && hasEnded(event.run)) {
      ended = event.run;
    } else if (event.type === 'run' && shown > 0) {
      shown = 0;
      stderr.write('\nwarning: the server has restarted the run; its text begins again\n');
    }
  }
  if (ended === null) throw new Error('expected the end of the run, but its events ended before');
  if (ended.runState === 'failed') {
    if (shown > 0) stdout.write('\n');
    throwIfFailed(ended);
  }
  const texts = textsOf(ended);
  // Beams arrive at the end alone, and so does a run that ended before it was followed.
  if (shown === 0 && texts.length === 1) await printer.push(texts[0]!);
  printer.end(texts);
  reportRun(stderr, ended);
  await stdout.drained();
  return ended;
}

/** Read the stream to its end. Throws `RunFailedError` for a failed run. */
export async function awaitRun(stream: RunStream): Promise<Run> {
  let ended: Run | null = null;
  for await (const event of stream) if (event.type === 'run' && hasEnded(event.run)) ended = event.run;
  if (ended === null) throw new Error('expected the end of the run, but its events ended before');
  return throwIfFailed(ended);
}

/** Warnings and figures, on standard error. */
export function reportRun(stderr: CommandContext['stderr'], run: Run): void {
  for (const warning of run.warnings) stderr.write(`warning: ${printable(warning)}\n`);
  stderr.write(`${dim(stderr, runLine(run))}\n`);
}
