/** Compares two runs: files of this machine, or evaluations that a server stores. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareReports, type EvaluationReport, readReport, type TaskChange } from '@gptj-cloud/evals';
import { isId } from '@gptj-cloud/protocol';
import { writeJson } from '../client/api-json.ts';
import { SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { Command, CommandContext } from '../command.ts';
import { REPORT_FILE } from '../eval/write-results.ts';
import { formatCount } from '../figures.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { bold, type Output, widthOf } from '../output.ts';
import { readTextFile } from '../read-text-file.ts';
import { renderTable } from '../table.ts';

export const EVAL_DIFF_COMMAND: Command = {
  name: 'diff',
  summary: 'compare two runs document by document',
  about:
    'Shows for each task what changed between two runs, from their files or as a server stores them: accuracies with McNemar’s exact test, the perplexity with a paired bootstrap, documents whose answer flipped, how far the probabilities of the answers moved (KL divergence), and the documents that changed most, flipped ones first, then those whose margin moved most.',
  arguments: [
    {
      name: 'BEFORE',
      summary: `folder of gptj eval --out, its ${REPORT_FILE}, or the id of a stored evaluation`,
      values: 'file',
    },
    { name: 'AFTER', summary: 'the same of the other run', values: 'file' },
  ],
  notes: [
    'p is the probability of a change at least this uneven where both runs are equally good.',
    'The KL divergence is that of the probabilities of the choices of a document; of a document with one continuation, of this continuation against all others.',
  ],
  groups: [
    { title: 'options', options: [{ name: 'json', value: null, summary: 'print JSON instead of tables' }] },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj eval diff ./scores-f16 ./scores-q4', caption: 'what a smaller type changes' },
    {
      line: 'gptj eval diff evaluation_0123456789abcdef0123456789abcdef evaluation_fedcba9876543210fedcba9876543210',
      caption: 'the same of stored evaluations',
    },
  ],

  async run(context, options) {
    const { stdout } = context;
    const [before, after] = options.positionals as [string, string];
    const stored = [before, after].filter((each) => isId('evaluation', each)).length;
    if (stored === 1) throw new UsageError('expected two folders or two stored evaluations, got one of each');
    const changes =
      stored === 2
        ? await compareStored(context, options, { before, after })
        : compareReports(await openReport(before), await openReport(after));
    if (isOn(options, 'json')) writeJson(stdout, { tasks: changes });
    else stdout.write(changes.map((change) => describeChange(stdout, change)).join('\n'));
    await stdout.drained();
  },
};

/** Documents of a task that are named. */
const NAMED = 5;

async function compareStored(
  context: CommandContext,
  options: ParsedOptions,
  { before, after }: { readonly before: string; readonly after: string },
): Promise<readonly TaskChange[]> {
  const { signal } = context;
  const { api } = await openClient(context, options);
  const { tasks } = await api.evaluations.compare(before, after, { signal });
  const changes: TaskChange[] = [];
  for (const { index: task, ...change } of tasks) {
    const { items } = await api.evaluations.changes(before, after, { task, limit: NAMED, signal });
    const moved = items.flatMap(({ id, before: { margin: marginBefore }, after: { margin: marginAfter } }) =>
      marginBefore === null || marginAfter === null ? [] : [{ id, marginBefore, marginAfter }],
    );
    changes.push({ ...change, moved });
  }
  return changes;
}

async function openReport(path: string): Promise<EvaluationReport> {
  const found = await stat(path).catch(() => null);
  const file = found?.isDirectory() ? join(path, REPORT_FILE) : path;
  return readReport(await readTextFile(file), file);
}

function describeChange(output: Output, change: TaskChange): string {
  const { task, form, documents, accuracies, perplexity, flips, divergence, meanDifference, moved } = change;
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  const accuracyTable = renderTable(
    [
      { title: 'metric' },
      { title: 'before', align: 'right' },
      { title: 'after', align: 'right' },
      { title: 'gained', align: 'right' },
      { title: 'lost', align: 'right' },
      { title: 'p', align: 'right' },
    ],
    accuracies.map(({ metric, before, after, gained, lost, p }) => [
      metric,
      percent(before),
      percent(after),
      String(gained),
      String(lost),
      p.toPrecision(2),
    ]),
    widthOf(output),
  );
  const lines = [
    bold(output, `${task}, form ${form}, ${formatCount(documents)} documents`),
    ...(accuracies.length === 0 ? [] : [accuracyTable.trimEnd()]),
    ...(perplexity === null
      ? []
      : [
          `perplexity changes by ${perplexity.difference.toPrecision(3)}, 95 % from ${perplexity.low.toPrecision(3)} to ${perplexity.high.toPrecision(3)}`,
        ]),
    `answers that flipped: ${formatCount(flips)} (${percent(flips / Math.max(1, documents))})`,
    ...(divergence === null ? [] : [`KL divergence of the answers: ${describeDivergence(divergence)}`]),
    ...(meanDifference === null ? [] : [`mean difference of a log-likelihood: ${meanDifference.toPrecision(3)}`]),
    ...(moved.length === 0
      ? []
      : [`documents whose margin changed most, flipped answers first: ${moved.map(describeMoved).join(', ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function describeDivergence({ mean, standardError }: NonNullable<TaskChange['divergence']>): string {
  const interval = standardError === null ? '' : ` ± ${(1.96 * standardError).toPrecision(2)}`;
  return `${mean.toPrecision(3)}${interval} nats, mean of documents`;
}

function describeMoved({ id, marginBefore, marginAfter }: TaskChange['moved'][number]): string {
  return `document ${id} from ${marginBefore.toFixed(2)} to ${marginAfter.toFixed(2)}`;
}
