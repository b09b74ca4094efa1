import type { Preset } from '@gptj-cloud/sdk';
import { toApi } from '../client/api-json.ts';
import { JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { allPresets, findPreset } from '../client/find-preset.ts';
import { openClient } from '../client/open-client.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandContext, CommandGroup } from '../command.ts';
import { REFUSED_PARAMETERS, RUN_PARAMETERS } from '../generate-parameters.ts';
import { listItems } from '../list-pages.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { PROMPT_OPTIONS, readPrompt } from '../read-prompt.ts';
import { renderPairs } from '../table.ts';
import { idsCommand } from './act-on-ids.ts';

const PRESET: Argument = { name: 'PRESET', summary: 'name or id of the preset' };
const OPTIONS = [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP] as const;

const listCommand: Command = {
  name: 'list',
  summary: 'list the presets of the project',
  about: 'Lists the presets of the project of the token.',
  arguments: [],
  groups: [{ title: 'options', options: [...LIST_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj presets', caption: 'what gptj run --preset takes' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const { api } = await openClient(context, options);
    const listed = await listItems(options, (page) => api.presets.list({ ...page, signal }));
    if (isOn(options, 'json')) {
      for (const preset of listed.items) stdout.write(jsonLine(preset));
      await stdout.drained();
      return;
    }
    await writeList(context, options, listed, [
      { title: 'preset', isWhole: true, text: ({ name }) => name },
      { title: 'parameters', text: ({ parameters }) => JSON.stringify(parameters) },
      { title: 'prompt', text: ({ prompt }) => prompt ?? '' },
    ]);
  },
};

const getCommand: Command = {
  name: 'get',
  summary: 'show a preset',
  about: 'Shows the parameters and the prompt of a preset.',
  arguments: [PRESET],
  groups: OPTIONS,
  examples: [{ line: 'gptj presets get calm', caption: 'by its name' }],

  async run(context, options) {
    const [wanted = ''] = options.positionals;
    const { api } = await openClient(context, options);
    writePreset(context, options, await findPreset(api, wanted, context.signal));
  },
};

const saveCommand: Command = {
  name: 'save',
  summary: 'store parameters under a name',
  about: 'Stores parameters of runs, and a prompt if one is given, under a name of the project, or replaces them.',
  arguments: [{ name: 'NAME', summary: 'name of the preset' }],
  notes: [
    'The parameters replace all of an earlier preset with that name. Its prompt stays, unless one is given.',
    'The server checks the parameters with the run that uses them.',
  ],
  groups: [{ title: 'options', options: [...PROMPT_OPTIONS, JSON_OPTION] }, SERVER_GROUP, ...RUN_PARAMETERS.groups],
  examples: [
    { line: 'gptj presets save calm --temperature 0.6 --top-p 0.9', caption: 'for gptj run "Once …" --preset calm' },
  ],
  refused: REFUSED_PARAMETERS,

  async run(context, options) {
    const { stdin, signal } = context;
    const [name = ''] = options.positionals;
    const parameters = RUN_PARAMETERS.read(options);
    const hasPrompt = options.values.has('prompt') || options.values.has('file');
    if (!hasPrompt && Object.keys(parameters).length === 0) {
      throw new UsageError(
        'expected parameters to store, such as --temperature 0.6, or a prompt with --prompt or --file',
      );
    }
    const prompt = hasPrompt ? await readPrompt(stdin, { ...options, positionals: [] }) : undefined;
    const { api } = await openClient(context, options);
    const present = (await allPresets(api, signal)).find((preset) => preset.name === name);
    const preset =
      present === undefined
        ? await api.presets.create({ name, parameters, prompt }, { signal })
        : await api.presets.change(present.id, { parameters, prompt }, { signal });
    writePreset(context, options, preset);
  },
};

const renameCommand: Command = {
  name: 'rename',
  summary: 'give a preset another name',
  about: 'Gives a preset another name, which must be free in the project.',
  arguments: [PRESET, { name: 'NAME', summary: 'its new name' }],
  groups: OPTIONS,
  examples: [{ line: 'gptj presets rename calm even', caption: 'another name' }],

  async run(context, options) {
    const { signal } = context;
    const [wanted = '', name = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const { id } = await findPreset(api, wanted, signal);
    writePreset(context, options, await api.presets.change(id, { name }, { signal }));
  },
};

const deleteCommand = idsCommand({
  name: 'delete',
  summary: 'delete presets',
  about: 'Deletes presets of the project. Runs that used them stay as they are.',
  argument: PRESET,
  examples: [{ line: 'gptj presets delete calm', caption: 'delete a preset' }],
  act: async (api, wanted, { signal }) => {
    const { id, name } = await findPreset(api, wanted, signal);
    await api.presets.delete(id, { signal });
    return { fields: { id, name, deleted: true }, words: 'deleted' };
  },
});

export const presetsCommands: CommandGroup = {
  name: 'presets',
  summary: 'store parameters of runs under a name',
  about:
    'Presets are parameters of runs, perhaps with a prompt, under a name of the project. The playground shows them too.',
  defaultCommand: 'list',
  commands: [listCommand, getCommand, saveCommand, renameCommand, deleteCommand],
};

/** The parameters as they are: some have keys that are no names of fields, such as texts. */
function jsonLine({ parameters, ...preset }: Preset): string {
  return `${JSON.stringify({ ...Object(toApi(preset)), parameters })}\n`;
}

function writePreset({ stdout }: CommandContext, options: ParsedOptions, preset: Preset): void {
  if (isOn(options, 'json')) {
    stdout.write(jsonLine(preset));
    return;
  }
  const { id, name, parameters, prompt } = preset;
  const pairs = [
    ['preset', name],
    ['id', id],
    ...Object.entries(parameters).map(([key, value]) => [printable(key), JSON.stringify(value)] as const),
    ['prompt', prompt ?? ''],
  ] as const;
  stdout.write(renderPairs(pairs, widthOf(stdout)));
}
