import { hasEnded, type RunSummary, throwIfFailed } from '@gptj-cloud/sdk';
import { toApi, writeJson } from '../client/api-json.ts';
import { JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { awaitRun, printRun, reportRun } from '../client/follow-run.ts';
import { openClient } from '../client/open-client.ts';
import { runPairs, textsOf } from '../client/run-report.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandGroup } from '../command.ts';
import { formatCount, formatDuration, formatMoment } from '../figures.ts';
import { listItems } from '../list-pages.ts';
import { isOn, listOption, UsageError } from '../options.ts';
import { bold, widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { renderPairs } from '../table.ts';
import { createTextPrinter } from '../text-printer.ts';

const RUN: Argument = { name: 'RUN', summary: 'id of the run: run_…' };
const SEVERAL: Argument = { ...RUN, repeated: true };
const JSON_GROUP = { title: 'options', options: [JSON_OPTION] };
/** The states that a run of this server can be in; the others are those of the original service. */
const STATES = ['received', 'running', 'complete', 'failed'] as const;

const listCommand: Command = {
  name: 'list',
  summary: 'list the runs of the project',
  about: 'Lists the runs of the project of the token, the newest first.',
  arguments: [],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'state', value: 'STATE,…', summary: `only runs in these states: ${STATES.join(', ')}` },
        { name: 'search', short: 'q', value: 'TEXT', summary: 'only runs with this text in prompt, output or id' },
        { name: 'pipeline', value: 'ID|TAG', summary: 'only runs of this pipeline' },
        { name: 'token-id', value: 'ID', summary: 'only runs of this API token; session: those of browsers' },
        ...LIST_OPTIONS,
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj runs list --state received,running', caption: 'the open runs' },
    { line: 'gptj runs list --all --json | jq -r \'select(.run_state == "failed").id\'', caption: 'ids for a script' },
  ],

  async run(context, options) {
    const { signal } = context;
    const states = listOption(options, 'state')?.map((word) => {
      const state = STATES.find((known) => known === word);
      if (state !== undefined) return state;
      throw new UsageError(`--state: expected some of ${STATES.join(', ')}, got ${JSON.stringify(word)}`);
    });
    const { api } = await openClient(context, options);
    const filters = {
      signal,
      states,
      q: options.values.get('search'),
      pipelineId: options.values.get('pipeline'),
      tokenId: options.values.get('token-id'),
    };
    const listed = await listItems(options, (page) => api.runs.summaries({ ...filters, ...page }));
    await writeList(context, options, listed, [
      { title: 'run', isWhole: true, text: ({ id }) => id },
      { title: 'created', isWhole: true, text: ({ createdAt }) => formatMoment(createdAt) },
      { title: 'state', isWhole: true, text: ({ runState }) => runState },
      {
        title: 'tokens',
        align: 'right',
        text: ({ usage }) => (usage === null ? '' : formatCount(usage.generatedTokens)),
      },
      { title: 'time', align: 'right', text: ({ timings }) => durationText(timings) },
      { title: 'prompt', text: ({ promptHead }) => promptHead ?? '' },
    ]);
  },
};

function durationText({ computeMs }: RunSummary['timings']): string {
  return computeMs === null ? '' : formatDuration(computeMs);
}

const getCommand: Command = {
  name: 'get',
  summary: 'show a run with its prompt and text',
  about: 'Shows a run: its state, times, tokens and cost, the prompt with its parameters, and the text.',
  arguments: [RUN],
  groups: [
    {
      title: 'options',
      options: [{ name: 'text', value: null, summary: 'print the text alone' }, JSON_OPTION],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj runs get run_59a4b202e64aaa2e63e3ec97074c16f9', caption: 'everything about a run' },
    { line: 'gptj runs get run_59a4b202e64aaa2e63e3ec97074c16f9 --text > story.txt', caption: 'its text into a file' },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const [id = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const run = await api.getRun(id, { signal });
    if (isOn(options, 'json')) {
      stdout.write(`${JSON.stringify(run.raw)}\n`);
      return;
    }
    const shown = (text: string): string => (stdout.columns === null ? text : printable(text, true));
    if (isOn(options, 'text')) {
      throwIfFailed(run);
      if (!hasEnded(run)) throw new Error(`run ${id} is ${run.runState}; gptj runs follow ${id} shows its text`);
      stdout.write(
        textsOf(run)
          .map((text) => `${shown(text)}\n`)
          .join(''),
      );
      return;
    }
    const { prompt, parameters } = await api.runs.input(id, { signal });
    const given = Object.entries(parameters).map(([name, value]): [string, string] => [name, JSON.stringify(value)]);
    const section = (title: string, body: string): string => (body === '' ? '' : `\n${bold(stdout, title)}\n${body}`);
    const texts = textsOf(run).map((text) => `${shown(text)}\n`);
    stdout.write(renderPairs(runPairs(run), widthOf(stdout)));
    stdout.write(section('parameters', renderPairs(given, widthOf(stdout))));
    stdout.write(section('prompt', `${shown(typeof prompt === 'string' ? prompt : JSON.stringify(prompt))}\n`));
    stdout.write(section(texts.length === 1 ? 'text' : 'texts', texts.join('\n')));
  },
};

const followCommand: Command = {
  name: 'follow',
  summary: 'print the text of a run while it is generated',
  about: 'Prints the text of a run from its beginning and waits for the end. Ctrl-C ends the command, not the run.',
  arguments: [RUN],
  groups: [
    { title: 'options', options: [{ name: 'json', value: null, summary: 'wait, then print the run as JSON' }] },
    SERVER_GROUP,
  ],
  examples: [{ line: 'gptj runs follow $(gptj run "Once upon a time" --async)', caption: 'start now, read later' }],

  async run(context, options) {
    const { stdout, stderr, signal } = context;
    const [id = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const stream = api.followRun(id, { signal });
    if (isOn(options, 'json')) {
      const ended = await awaitRun(stream);
      stdout.write(`${JSON.stringify(ended.raw)}\n`);
      reportRun(stderr, ended);
      return;
    }
    const { parameters } = await api.runs.input(id, { signal });
    const { num_return_sequences: count } = parameters;
    const sequences = typeof count === 'number' ? count : 1;
    await printRun(context, stream, createTextPrinter(stdout, { prompt: '', echo: false, sequences }));
  },
};

const cancelCommand: Command = {
  name: 'cancel',
  summary: 'cancel waiting or running runs',
  about: 'Ends runs that wait or are computed; they become failed. A run that has ended is left as it is.',
  arguments: [SEVERAL],
  groups: [JSON_GROUP, SERVER_GROUP],
  examples: [
    { line: 'gptj runs cancel run_59a4b202e64aaa2e63e3ec97074c16f9', caption: 'end a run' },
    {
      line: 'gptj runs list --state received --json --all | jq -r .id | xargs gptj runs cancel',
      caption: 'end all that wait',
    },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const { api } = await openClient(context, options);
    for (const id of options.positionals) {
      const run = await api.cancelRun(id, { signal });
      if (isOn(options, 'json')) stdout.write(`${JSON.stringify(toApi({ id: run.id, runState: run.runState }))}\n`);
      else stdout.write(`${run.id}: ${run.runState}\n`);
    }
  },
};

const deleteCommand: Command = {
  name: 'delete',
  summary: 'delete runs with their inputs and results',
  about: 'Deletes runs that have ended, with their inputs and results. Usage keeps their sums.',
  arguments: [SEVERAL],
  groups: [JSON_GROUP, SERVER_GROUP],
  examples: [{ line: 'gptj runs delete run_59a4b202e64aaa2e63e3ec97074c16f9', caption: 'delete a run' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const { api } = await openClient(context, options);
    for (const id of options.positionals) {
      await api.deleteRun(id, { signal });
      if (isOn(options, 'json')) writeJson(stdout, { id, deleted: true });
      else stdout.write(`${printable(id)}: deleted\n`);
    }
  },
};

export const runsCommands: CommandGroup = {
  name: 'runs',
  summary: 'list, show, follow, cancel and delete runs',
  about: 'Runs are calls that a server has accepted. They are stored with their inputs and results.',
  defaultCommand: 'list',
  commands: [listCommand, getCommand, followCommand, cancelCommand, deleteCommand],
};
