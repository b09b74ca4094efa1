import type { RetryNotice } from '@gptj-cloud/sdk';
import type { CommandContext } from '../command.ts';
import { dim } from '../output.ts';
import { printable } from '../printable.ts';

/** Shorter waits end before a person reads why. */
const MIN_REPORTED_MS = 1_000;

/** Says on standard error why a command waits: a server under maintenance asks for up to a minute before each retry. */
export function reportRetry(stderr: CommandContext['stderr']): (notice: RetryNotice) => void {
  return ({ error, waitMs, retry, maxRetries }) => {
    if (waitMs < MIN_REPORTED_MS) return;
    const when = `trying again in ${Math.ceil(waitMs / 1000)} s (${retry} of ${maxRetries})`;
    stderr.write(`${dim(stderr, `${printable(error.message)}; ${when}`)}\n`);
  };
}
