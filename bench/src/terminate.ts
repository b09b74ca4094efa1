import type { ChildProcess } from 'node:child_process';

/** Ask a process to exit and wait until it has. Resolves at once for a process that has exited already. */
export async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
