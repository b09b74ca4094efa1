import type { Usage, UsageGroup, UsageRow, UsageSums } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { Command } from '../command.ts';
import { formatCount, formatDuration } from '../figures.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { dim, type Output } from '../output.ts';
import { drawBar } from '../progress.ts';
import { type Column, renderTable } from '../table.ts';

const GROUPS: readonly UsageGroup[] = ['day', 'token', 'pipeline', 'project'];
const MAX_BAR_WIDTH = 30;
const MIN_BAR_WIDTH = 8;

export const usageCommand: Command = {
  name: 'usage',
  summary: 'show used tokens by day, token, pipeline or project',
  about:
    'Shows runs, tokens and computing time of the project of the token; for owners of the server, of all projects.',
  arguments: [],
  notes: ['Days are UTC. The bars on a terminal show the computed tokens, which quotas count.'],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'by', value: 'GROUP', summary: 'one row for each', choices: GROUPS, default: 'day' },
        { name: 'from', value: 'DAY', summary: 'first day, such as 2026-01-31', default: 'the first of the month' },
        { name: 'to', value: 'DAY', summary: 'last day', default: 'today' },
        { name: 'project', value: 'ID', summary: 'only this project' },
        { name: 'csv', value: null, summary: 'print CSV: a line for each day, project, token, pipeline and plan' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj usage', caption: 'this month, day by day' },
    { line: 'gptj usage --by token --from 2026-01-01 --to 2026-12-31', caption: 'which token used how much' },
    { line: 'gptj usage --csv > usage.csv', caption: 'for a spreadsheet' },
  ],

  async run(context, options) {
    const { stdout, stderr, signal } = context;
    const range = readRange(options);
    if (isOn(options, 'csv') && (isOn(options, 'json') || options.values.has('by'))) {
      throw new UsageError('--csv: its lines have all groups; leave out --by and --json');
    }
    const { api } = await openClient(context, options);
    if (isOn(options, 'csv')) {
      stdout.write(await api.usage.csv({ ...range, signal }));
      await stdout.drained();
      return;
    }
    const groupBy = GROUPS.find((group) => group === options.values.get('by')) ?? 'day';
    const usage = await api.usage.get({ ...range, groupBy, signal });
    if (isOn(options, 'json')) {
      writeJson(stdout, usage);
      return;
    }
    stdout.write(renderUsage(usage, stdout));
    stderr.write(`${dim(stderr, `${usage.from} to ${usage.to}, UTC`)}\n`);
  },
};

function readRange({ values }: ParsedOptions): {
  readonly from?: string;
  readonly to?: string;
  readonly projectId?: string;
} {
  const range = { from: values.get('from'), to: values.get('to') };
  for (const [name, day] of Object.entries(range)) {
    if (day === undefined) continue;
    if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day))) {
      throw new UsageError(`--${name}: expected a day like 2026-01-31, got ${JSON.stringify(day)}`);
    }
  }
  const { from, to } = range;
  const projectId = values.get('project');
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(projectId === undefined ? {} : { projectId }),
  };
}

function renderUsage({ rows, total, groupBy }: Usage, output: Output): string {
  const right = (title: string): Column => ({ title, align: 'right' });
  const columns: readonly Column[] = [
    { title: groupBy ?? 'day', isWhole: true },
    right('runs'),
    right('prompt'),
    right('generated'),
    right('computed'),
    right('time'),
  ];
  const sums = (row: UsageSums): readonly string[] => [
    ...[row.runs, row.promptTokens, row.generatedTokens, row.computedTokens].map(formatCount),
    formatDuration(row.computeMs),
  ];
  const lines = [...rows.map((row) => [labelOf(row, groupBy), ...sums(row)]), ['all', ...sums(total)]];
  if (output.columns === null) return renderTable(columns, lines, Number.POSITIVE_INFINITY);
  const plain = renderTable(columns, lines, output.columns);
  const width = Math.max(...plain.split('\n').map((line) => line.length));
  const barWidth = Math.min(MAX_BAR_WIDTH, output.columns - width - 3);
  if (barWidth < MIN_BAR_WIDTH) return plain;
  const max = Math.max(1, ...rows.map((row) => row.computedTokens));
  const bars = rows.map((row) => drawBar(row.computedTokens / max, barWidth, ' '));
  return renderTable(
    [...columns, { title: '', isWhole: true }],
    lines.map((line, at) => [...line, bars[at] ?? '']),
    output.columns,
  );
}

function labelOf({ key, name }: UsageRow, groupBy: UsageGroup | null): string {
  if (groupBy === 'day' || groupBy === null) return key;
  if (key === '') return 'browser sessions';
  return name === null ? key : `${name} (${key})`;
}
