import { serve } from '@gptj-cloud/server';
import type { Command } from '../command.ts';
import { createProgressPrinter } from '../progress.ts';
import { aborted, optionVariables, serveOptionGroup } from '../serve-variables.ts';

/** Of the API. */
const WITHOUT = ['token'];

export const workerCommand: Command = {
  name: 'worker',
  summary: 'execute runs for the servers on a PostgreSQL',
  about:
    'Loads a model and executes runs that servers with the same DATABASE_URL have accepted. It answers no API: only /healthz, /readyz, /metrics, and the servers, which read the streams of its runs.',
  arguments: [],
  notes: [
    'DATABASE_URL names the PostgreSQL. The worker takes runs of the pipelines of its models, MAX_RUNNING_RUNS at a time.',
    'NODE_URL is the address at which the servers reach it, where that is not the one it listens on.',
    'Ctrl-C stops the worker after the current runs. Those that take longer than DRAIN_TIMEOUT_SECONDS wait for another one.',
    'Settings without an option are environment variables, which docs/operations.md describes.',
  ],
  groups: [serveOptionGroup(WITHOUT)],
  examples: [
    {
      line: 'DATABASE_URL=postgres://gptj@db/gptj gptj worker --model gpt-j-6b --host 0.0.0.0',
      caption: 'a machine that computes for the servers on the database db',
    },
  ],

  async run(context, options) {
    const { stdout, stderr, env, signal, now } = context;
    const worker = await serve(
      {},
      {
        role: 'worker',
        environment: { ...env, ...optionVariables(options) },
        print: (line) => stdout.write(`${line}\n`),
        log: (line) => stderr.write(line),
        terminal: { print: stdout.columns !== null, log: stderr.columns !== null, colours: stderr.colours },
        progressBar: stderr.columns === null ? null : createProgressPrinter(stderr, now),
        signal,
      },
    );
    await aborted(signal);
    await worker.close();
  },
};
