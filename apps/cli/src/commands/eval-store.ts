/** The commands for reports that a server stores. */
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import { writeList } from '../client/write-list.ts';
import type { Command } from '../command.ts';
import { storeRunFolder } from '../eval/store-report.ts';
import { formatCount } from '../figures.ts';
import { listItems } from '../list-pages.ts';
import { isOn, UsageError } from '../options.ts';
import { idsCommand } from './act-on-ids.ts';

const uploadCommand: Command = {
  name: 'upload',
  summary: 'store the files of a run with a server',
  about:
    'Stores the report of a run in the project of the token, with the answer to every document, for the page Evaluations of the dashboard.',
  arguments: [{ name: 'FOLDER', summary: 'folder of gptj eval --out', values: 'file' }],
  notes: [
    'A report is stored once: repeating the command after an interruption sends what is missing.',
    'Long texts are cut to 8,000 characters; of contexts the end is kept.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'name', value: 'NAME', summary: 'name of the evaluation', default: 'the model and its type' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [{ line: 'gptj eval upload ./scores --name "GPT-J 6B, f16"', caption: 'after gptj eval --out ./scores' }],

  async run(context, options) {
    const [folder = ''] = options.positionals;
    const name = options.values.get('name')?.trim() ?? null;
    if (name !== null && (name === '' || name.length > 100)) {
      throw new UsageError('--name: expected 1 to 100 characters');
    }
    const client = await openClient(context, options);
    const stored = await storeRunFolder({ context, client, name }, folder);
    if (isOn(options, 'json')) writeJson(context.stdout, stored);
    else context.stdout.write(`${stored.id}\n`);
    await context.stdout.drained();
  },
};

const listCommand: Command = {
  name: 'list',
  summary: 'list the evaluations that a server stores',
  about: 'Lists the evaluations of the project of the token, the latest first.',
  arguments: [],
  groups: [{ title: 'options', options: [...LIST_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj eval list', caption: 'stored reports' }],

  async run(context, options) {
    const { api } = await openClient(context, options);
    const listed = await listItems(options, (page) => api.evaluations.list({ ...page, signal: context.signal }));
    await writeList(context, options, listed, [
      { title: 'evaluation', isWhole: true, text: ({ id }) => id },
      { title: 'name', text: ({ name }) => name },
      { title: 'tasks', text: ({ tasks }) => [...new Set(tasks.map(({ task }) => task))].join(', ') },
      {
        title: 'documents',
        align: 'right',
        text: ({ tasks, isComplete }) => {
          const sum = (of: 'received' | 'documentCount'): number => tasks.reduce((all, task) => all + task[of], 0);
          return isComplete
            ? formatCount(sum('received'))
            : `${formatCount(sum('received'))} of ${formatCount(sum('documentCount'))}`;
        },
      },
    ]);
  },
};

const deleteCommand: Command = idsCommand({
  name: 'delete',
  summary: 'delete stored evaluations',
  about: 'Deletes evaluations of the project with their documents.',
  argument: { name: 'EVALUATION', summary: 'id of the evaluation' },
  examples: [{ line: 'gptj eval delete evaluation_0123456789abcdef0123456789abcdef', caption: 'free their storage' }],
  async act(api, id, { signal }) {
    await api.evaluations.delete(id, { signal });
    return { fields: { deleted: true }, words: 'deleted' };
  },
});

export const EVAL_STORE_COMMANDS: readonly Command[] = [uploadCommand, listCommand, deleteCommand];
