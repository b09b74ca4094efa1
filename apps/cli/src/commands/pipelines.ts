import { writeJson, writeJsonLines } from '../client/api-json.ts';
import { JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandGroup } from '../command.ts';
import { listItems } from '../list-pages.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { renderPairs } from '../table.ts';

const PIPELINE: Argument = { name: 'PIPELINE', summary: 'id or tag of the pipeline' };
const OPTIONS = [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP] as const;

const listCommand: Command = {
  name: 'list',
  summary: 'list what the server runs',
  about: 'Lists the pipelines of the server with their names: built-in tags, and those of the project.',
  arguments: [],
  groups: [{ title: 'options', options: [...LIST_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj pipelines', caption: 'what gptj run --pipeline takes' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const { api } = await openClient(context, options);
    const listed = await listItems(options, (page) => api.pipelines.list({ ...page, signal }));
    const { items: tags } = await api.tags.list({ limit: 100, signal });
    const items = listed.items.map((pipeline) => ({
      ...pipeline,
      projectTags: tags.filter(({ pipelineId }) => pipelineId === pipeline.id).map(({ name }) => name),
    }));
    if (isOn(options, 'json')) {
      await writeJsonLines(stdout, items);
      return;
    }
    await writeList(context, options, { items, total: listed.total }, [
      { title: 'pipeline', isWhole: true, text: ({ id }) => id },
      { title: 'name', isWhole: true, text: ({ name }) => name },
      { title: 'tags', text: ({ tags: builtIn, projectTags }) => [...builtIn, ...projectTags].join(', ') },
      { title: 'description', text: ({ description }) => description ?? '' },
    ]);
  },
};

const getCommand: Command = {
  name: 'get',
  summary: 'show a pipeline',
  about: 'Shows a pipeline by its id or a tag.',
  arguments: [PIPELINE],
  groups: OPTIONS,
  examples: [{ line: 'gptj pipelines get gpt-j:latest', caption: 'by a tag' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const pipeline = await api.pipelines.get(name, { signal });
    if (isOn(options, 'json')) {
      writeJson(stdout, pipeline);
      return;
    }
    const { id, description, tags } = pipeline;
    const pairs = [
      ['pipeline', id],
      ['name', pipeline.name],
      ['tags', tags.join(', ')],
      ['description', description ?? ''],
    ] as const;
    stdout.write(renderPairs(pairs, widthOf(stdout)));
  },
};

const tagCommand: Command = {
  name: 'tag',
  summary: 'give a pipeline a name of the project',
  about: 'Gives a pipeline a tag that is valid in the project, or moves a tag to another pipeline.',
  arguments: [{ name: 'TAG', summary: 'name:tag, such as stories:v1' }, PIPELINE],
  groups: OPTIONS,
  examples: [
    { line: 'gptj pipelines tag stories:v1 gpt-j:latest', caption: 'run it as gptj run --pipeline stories:v1' },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = '', pipeline = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const { items } = await api.tags.list({ limit: 100, signal });
    const present = items.find((tag) => tag.name === name);
    const tag =
      present === undefined
        ? await api.tags.create({ name, pipeline }, { signal })
        : await api.tags.move(present.id, pipeline, { signal });
    if (isOn(options, 'json')) writeJson(stdout, tag);
    else stdout.write(`${printable(tag.name)}: ${tag.pipelineId}\n`);
  },
};

const untagCommand: Command = {
  name: 'untag',
  summary: 'delete a tag of the project',
  about: 'Deletes a tag of the project. The pipeline stays.',
  arguments: [{ name: 'TAG', summary: 'the tag' }],
  groups: OPTIONS,
  examples: [{ line: 'gptj pipelines untag stories:v1', caption: 'delete the name' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const { id } = await api.tags.getByName(name, { signal });
    await api.tags.delete(id, { signal });
    if (isOn(options, 'json')) writeJson(stdout, { id, name, deleted: true });
    else stdout.write(`${printable(name)}: deleted\n`);
  },
};

export const pipelinesCommands: CommandGroup = {
  name: 'pipelines',
  summary: 'list what the server runs, and name it',
  about: 'Pipelines are what gptj run executes. A server has GPT-J, under several names.',
  defaultCommand: 'list',
  commands: [listCommand, getCommand, tagCommand, untagCommand],
};
