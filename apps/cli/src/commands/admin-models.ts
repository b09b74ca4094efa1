/** Commands for owners of a server: the models that it serves, without a restart. */
import type { ModelServing } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { Command } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { renderTable } from '../table.ts';

const modelsCommand: Command = {
  name: 'models',
  summary: 'list the models that a server serves',
  about: 'Lists the served models, and those that the server cannot serve, with the reasons. For owners of the server.',
  arguments: [],
  groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj admin models', caption: 'what is served, and what is loaded' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const { api } = await openClient(context, options, { isAdmin: true });
    const models = await api.models.served({ signal });
    if (isOn(options, 'json')) {
      for (const model of models) writeJson(stdout, model);
      return;
    }
    const columns = [
      { title: 'name', isWhole: true },
      { title: 'state', isWhole: true },
      { title: 'model', isWhole: true },
      { title: 'memory', align: 'right' as const },
      { title: 'adapters' },
      { title: 'reason' },
    ];
    stdout.write(renderTable(columns, models.map(rowOf), widthOf(stdout)));
  },
};

function rowOf({ name, state, model, plannedBytes, adapters, reason }: ModelServing): readonly string[] {
  return [
    name,
    state,
    model ?? '(settings)',
    plannedBytes === null ? '' : formatBytes(plannedBytes),
    adapters.join(', '),
    printable(reason ?? ''),
  ];
}

const serveCommand: Command = {
  name: 'serve',
  summary: 'have a running server serve a model of its data folder',
  about:
    'Serves a model that gptj pull has stored in the data folder of a running server, without a restart. It stays served after one. For owners of the server.',
  arguments: [{ name: 'MODEL', summary: 'name of the model, or NAME.TYPE, as gptj list shows it' }],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'name', value: 'NAME', summary: 'by which requests choose it', default: 'its name in the data folder' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj admin serve gpt-j-6b.q8_0 --name gpt-j', caption: 'serve one type under a name of its own' },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const [model = ''] = options.positionals;
    const { api } = await openClient(context, options, { isAdmin: true });
    const served = await api.models.serve({ model, name: options.values.get('name') }, { signal });
    if (isOn(options, 'json')) writeJson(stdout, served);
    else stdout.write(`serves ${served.model ?? model} as ${served.name}, pipeline ${served.pipelineId ?? ''}\n`);
  },
};

const unserveCommand: Command = {
  name: 'unserve',
  summary: 'have a running server serve a model no longer',
  about:
    'Ends what gptj admin serve began: new requests are refused, generations that have begun go on to their end. Refused while runs of the model are open. Its file stays. For owners of the server.',
  arguments: [{ name: 'NAME', summary: 'name of the model, see gptj admin models' }],
  groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj admin unserve gpt-j', caption: 'free its memory' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = ''] = options.positionals;
    const { api } = await openClient(context, options, { isAdmin: true });
    const ended = await api.models.stopServing(name, { signal });
    if (isOn(options, 'json')) writeJson(stdout, ended);
    else stdout.write(`${ended.name} is served no longer\n`);
  },
};

export const adminModelCommands: readonly Command[] = [modelsCommand, serveCommand, unserveCommand];
