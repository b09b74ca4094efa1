import { once } from 'node:events';
import { type ServerOptions, serve } from '@gptj-cloud/server';
import type { Command, CommandContext } from '../command.ts';
import { integerOption, type ParsedOptions, requirePositionals } from '../options.ts';

export const serveCommand: Command = {
  name: 'serve',
  usage: '[options]',
  summary: 'answer the Pipeline Cloud API over HTTP',
  about:
    'Loads a model and answers the 2022 Pipeline Cloud v2 API. The first start makes an API token and shows it once. Ctrl-C takes no new runs, lets those in flight end and stops; a second one stops at once. Options win over environment variables.',
  groups: [
    {
      title: 'options',
      options: [
        {
          name: 'port',
          short: 'p',
          value: 'N',
          summary: 'port to listen on; 0 takes a free one',
          default: 'PORT, else 8080',
        },
        {
          name: 'host',
          value: 'ADDRESS',
          summary: 'address to listen on; 0.0.0.0 is every one',
          default: 'HOST, else 127.0.0.1',
        },
        {
          name: 'model',
          short: 'm',
          value: 'FILE',
          summary: 'model file',
          default: 'GPTJ_MODEL, else the embedded one',
        },
        {
          name: 'data-dir',
          value: 'DIR',
          summary: 'where runs, files and tokens are kept',
          default: 'DATA_DIR, else ./data',
        },
        {
          name: 'token',
          value: 'TOKEN',
          summary: 'API token to accept, 8 characters or more; the variable keeps it out of the list of processes',
          default: 'GPTJ_API_TOKEN, else one is made',
        },
      ],
    },
  ],
  examples: [
    { line: 'gptj serve', says: 'the embedded model on http://127.0.0.1:8080' },
    { line: 'gptj serve --model gpt-j-6b.gguf --host 0.0.0.0 --port 80', says: 'your model, for the whole network' },
    { line: 'GPTJ_API_TOKEN=API_TOKEN gptj serve', says: 'with a token of your choice' },
  ],

  async run(context, options) {
    requirePositionals(options, []);
    const { stdout, stderr, env, signal } = context;
    const server = await serve(serverOptions(options), {
      environment: env,
      print: (line) => stdout.write(`${line}\n`),
      log: (line) => stderr.write(line),
    });
    await aborted(signal);
    await server.close();
  },
};

function serverOptions(options: ParsedOptions): ServerOptions {
  const port = integerOption(options, 'port', { min: 0, max: 65_535 });
  const host = options.values.get('host');
  const modelPath = options.values.get('model');
  const dataDir = options.values.get('data-dir');
  const apiToken = options.values.get('token');
  return {
    ...(port === null ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(modelPath === undefined ? {} : { modelPath }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(apiToken === undefined ? {} : { apiToken }),
  };
}

async function aborted(signal: CommandContext['signal']): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
