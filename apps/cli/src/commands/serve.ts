import { fileURLToPath } from 'node:url';
import { OTHER_VARIABLES, serve } from '@gptj-cloud/server';
import type { Command } from '../command.ts';
import { isOn } from '../options.ts';
import { createProgressPrinter } from '../progress.ts';
import { aborted, optionVariables, serveOptionGroup } from '../serve-variables.ts';

/** Where the build puts the dashboard; the server answers without it as well. */
const DASHBOARD = fileURLToPath(new URL('../../../dashboard/site', import.meta.url));

/** The pages that the server shows at /docs. */
const MANUAL = fileURLToPath(new URL('../../../../docs', import.meta.url));

export const serveCommand: Command = {
  name: 'serve',
  summary: 'serve the Pipeline Cloud API over HTTP',
  about: 'Loads a model and serves the 2022 Pipeline Cloud v2 API, with a dashboard.',
  arguments: [],
  notes: [
    'The first start creates an API token and shows it once: on a terminal, else in a file of the data folder.',
    'Ctrl-C stops the server after the current runs; new ones are refused meanwhile. A second Ctrl-C stops it at once.',
    'Options override environment variables.',
    `Settings without an option are environment variables, which docs/operations.md describes: ${OTHER_VARIABLES.join(', ')}.`,
  ],
  groups: [
    serveOptionGroup(),
    {
      title: 'many machines',
      options: [
        {
          name: 'no-engine',
          value: null,
          summary:
            'answer the API and load no model: gptj worker computes, on the PostgreSQL that DATABASE_URL names. The same as GPTJ_ENGINE=none',
        },
      ],
    },
  ],
  examples: [
    { line: 'gptj serve', caption: 'the embedded model on http://127.0.0.1:8080' },
    {
      line: 'gptj serve --model gpt-j-6b.gguf --host 0.0.0.0 --port 80',
      caption: 'your model, for every host of the network',
    },
    { line: 'GPTJ_API_TOKEN=API_TOKEN gptj serve', caption: 'with a token of your choice' },
    {
      line: 'DATABASE_URL=postgres://gptj@db/gptj gptj serve --no-engine --host 0.0.0.0',
      caption: 'the API alone, beside machines that compute with gptj worker',
    },
  ],

  async run(context, options) {
    const { stdout, stderr, env, signal, now } = context;
    const server = await serve(
      {},
      {
        environment: {
          ...env,
          ...optionVariables(options),
          ...(isOn(options, 'no-engine') ? { GPTJ_ENGINE: 'none' } : {}),
        },
        print: (line) => stdout.write(`${line}\n`),
        log: (line) => stderr.write(line),
        terminal: { print: stdout.columns !== null, log: stderr.columns !== null, colours: stderr.colours },
        progressBar: stderr.columns === null ? null : createProgressPrinter(stderr, now),
        signal,
        dashboardDir: DASHBOARD,
        manualDir: MANUAL,
      },
    );
    // For `npm start`, which builds the dashboard when requests are answered.
    process.send?.('listening');
    await aborted(signal);
    await server.close();
  },
};
