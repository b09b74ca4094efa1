#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';
import { streamOutput } from './output.ts';

/**
 * A signal this soon after the first counts as the same one: a terminal sends Ctrl-C to the whole process group, and the
 * parent process may forward it as well.
 */
const SAME_SIGNAL_MS = 1000;
/** How long a stopped command may take to end by itself. */
const EXIT_TIMEOUT_MS = 5000;

const stop = new AbortController();
let stopped: { readonly status: number; readonly atMs: number } | null = null;

/** The first signal ends the command in order; a later one ends the process at once. */
function onSignal(status: number): void {
  if (stopped !== null) {
    if (performance.now() - stopped.atMs > SAME_SIGNAL_MS) process.exit(stopped.status);
    return;
  }
  stopped = { status, atMs: performance.now() };
  stop.abort();
  // Reading standard input would keep the process alive.
  process.stdin.destroy();
}

/** The exit status of the process: an interrupted command reports the signal. */
function exitStatus(status: number): number {
  return status === 0 ? 0 : (stopped?.status ?? status);
}

// 128 + the signal's number, as shells report it.
process.on('SIGINT', () => onSignal(130));
process.on('SIGTERM', () => onSignal(143));
process.on('SIGHUP', () => onSignal(129));
for (const stream of [process.stdout, process.stderr]) {
  // The reader has closed the pipe (`gptj … | head`): exit as SIGPIPE ends other programs.
  stream.on('error', () => onSignal(141));
}

const status = await runCommandLine(process.argv.slice(2), {
  stdout: streamOutput(process.stdout, process.env),
  stderr: streamOutput(process.stderr, process.env),
  stdin: process.stdin,
  env: process.env,
  signal: stop.signal,
  now: () => performance.now(),
});
process.exitCode = exitStatus(status);
// What still runs then, such as a thread that waits for a disk, must not keep a stopped process.
if (stopped !== null) setTimeout(() => process.exit(), EXIT_TIMEOUT_MS).unref();
