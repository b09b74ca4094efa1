import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  BUILTIN_TASKS,
  checkJournal,
  comparisonTable,
  type EvaluationReport,
  Journal,
  metricTable,
  runSelfChecks,
  SELF_CHECKS,
  type TextTable,
  type TokenScorer,
  toReport,
} from '@gptj-cloud/evals';
import { writeJson } from '../client/api-json.ts';
import { openClient } from '../client/open-client.ts';
import type { Command, CommandContext, CommandGroup } from '../command.ts';
import { type EvalRequest, RESULT_GROUP, readEvalOptions, TASK_OPTIONS } from '../eval/eval-options.ts';
import { openScorer, SCORER_GROUPS } from '../eval/open-scorer.ts';
import { runEvaluations } from '../eval/run-evaluation.ts';
import { storeRun } from '../eval/store-report.ts';
import { writeResults } from '../eval/write-results.ts';
import { formatCount, formatDuration } from '../figures.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { dim, type Output, widthOf } from '../output.ts';
import { storeFolder } from '../store-options.ts';
import { renderTable } from '../table.ts';
import { version } from '../version.ts';
import { EVAL_DIFF_COMMAND } from './eval-diff.ts';
import { EVAL_STORE_COMMANDS } from './eval-store.ts';

const runCommand: Command = {
  name: 'run',
  summary: 'score a model on the zero-shot tasks of the GPT-J table',
  about:
    'Runs LAMBADA, Winogrande, HellaSwag, PIQA and others on a model of this machine or on a server, and shows the scores beside the published table, with the metric that each column holds and 95 % intervals. Requests, metrics and standard errors are those of lm-evaluation-harness.',
  arguments: [],
  notes: [
    'Before anything is scored, self-checks make sure that log-probabilities are those of the requested tokens; no score is printed where one fails.',
    'A run that was stopped, also by kill -9, goes on where it stopped when the command is repeated.',
    'In the form published, contexts begin with <|endoftext|>, quotes are straight, and context and continuation are tokenised apart: compare those scores with the published ones.',
    'The documents are included, with their licences in packages/evals/data/README.md.',
  ],
  groups: [{ title: 'tasks', options: TASK_OPTIONS }, RESULT_GROUP, ...SCORER_GROUPS],
  examples: [
    { line: 'gptj eval --model gpt-j-6b.gguf --out ./scores', caption: 'the published table on a model file' },
    { line: 'gptj eval --tasks piqa --limit 100 --form harness', caption: 'a first look at the embedded model' },
    { line: 'gptj eval --url http://127.0.0.1:8080 --tasks all', caption: 'a gptj-cloud server' },
    {
      line: 'gptj eval --completions http://127.0.0.1:8000/v1/completions',
      caption: 'any server with echo and logprobs',
    },
    { line: 'gptj eval --tasks piqa --store', caption: 'for the page Evaluations of the dashboard' },
    { line: 'gptj eval --task-file questions.jsonl', caption: 'a task of your own' },
    { line: 'gptj eval --text book.txt', caption: 'word, byte and token perplexity of a text' },
  ],

  async run(context, options) {
    const { stdout, stderr, now } = context;
    const request = readEvalOptions(options);
    await checkOut(request);
    const client = request.isStored ? await openClient(context, options) : null;
    // Before hours of scoring: the server knows the token and stores evaluations.
    await client?.api.evaluations.list({ limit: 1, signal: context.signal });
    const startMs = now();
    const opened = await openScorer(context, options);
    try {
      const journal = await openJournal(context, options);
      try {
        const selfChecks = await runSelfChecks({
          ...opened,
          skip: new Set(request.skippedChecks),
          signal: context.signal,
        });
        if (journal !== null) await checkJournal({ ...opened, journal, signal: context.signal });
        const evaluations = await runEvaluations({ request, opened, journal, context });
        const report = toReport({
          model: opened.scorer.identity,
          versions: { 'gptj-cloud': version() },
          limit: request.limit,
          selfChecks,
          skippedSelfChecks: request.skippedChecks,
          evaluations,
        });
        const seconds = (now() - startMs) / 1000;
        if (request.out !== null) {
          const { out: folder, trainingFlops } = request;
          await writeResults({ folder, report, evaluations, seconds, date: new Date(), trainingFlops });
        }
        printReport(stdout, request, report);
        stderr.write(`${dim(stderr, closingLine(request, seconds, opened.scorer.work))}\n`);
        if (client !== null) await storeRun({ context, client, name: null }, report, evaluations);
      } finally {
        await journal?.close();
      }
    } finally {
      await opened.close();
    }
    await stdout.drained();
  },
};

/** Checked before hours of scoring. Throws `UsageError`. */
async function checkOut({ out }: EvalRequest): Promise<void> {
  const found = out === null ? null : await stat(out).catch(() => null);
  if (found?.isDirectory() === false) throw new UsageError(`--out: expected a folder, got the file ${out}`);
}

function printReport(stdout: Output, { asJson }: EvalRequest, report: EvaluationReport): void {
  if (asJson) {
    const tasks = report.tasks.map(({ documents: _, ...task }) => task);
    writeJson(stdout, { ...report, tasks });
    return;
  }
  const comparison = comparisonTable(report);
  if (comparison !== null) stdout.write(`${toText(stdout, comparison)}\n`);
  stdout.write(toText(stdout, metricTable(report)));
  if (report.skippedSelfChecks.length > 0) {
    stdout.write(`\nself-checks left out: ${report.skippedSelfChecks.join(', ')}\n`);
  }
}

function toText(output: Output, { titles, rows }: TextTable): string {
  const columns = titles.map((title, at) => (at === 0 ? { title, isWhole: true } : { title, align: 'right' as const }));
  return renderTable(columns, rows, widthOf(output));
}

function closingLine({ out }: EvalRequest, seconds: number, work: TokenScorer['work']): string {
  const shared =
    work === undefined || work.read === 0
      ? ''
      : `; read ${formatCount(work.read)} tokens for requests of ${formatCount(work.requested)}, shared ones once`;
  return `took ${formatDuration(seconds * 1000)}${shared}${out === null ? '' : `; files in ${out}`}`;
}

/** `--journal`, else a file of the data folder; null for `none`. */
async function openJournal({ env }: CommandContext, options: ParsedOptions): Promise<Journal | null> {
  const given = options.values.get('journal');
  if (given === 'none') return null;
  return await Journal.open(given ?? join(dirname(storeFolder(null, env)), 'evals', 'journal.jsonl'));
}

const tasksCommand: Command = {
  name: 'tasks',
  summary: 'list the tasks',
  about: 'Shows the included tasks with their metrics, sizes and licences.',
  arguments: [],
  groups: [{ title: 'options', options: [{ name: 'json', value: null, summary: 'print JSON instead of a table' }] }],
  examples: [{ line: 'gptj eval tasks', caption: 'names, metrics and licences' }],

  async run({ stdout }, options) {
    if (isOn(options, 'json')) {
      writeJson(stdout, {
        tasks: BUILTIN_TASKS.map(({ read: _, ...task }) => task),
        self_checks: SELF_CHECKS,
      });
    } else {
      stdout.write(
        renderTable(
          [
            { title: 'task', isWhole: true },
            { title: 'metrics' },
            { title: 'documents', align: 'right' },
            { title: 'requests', align: 'right' },
            { title: 'chance', align: 'right' },
            { title: 'licence' },
          ],
          BUILTIN_TASKS.map(({ name, metrics, data, chance }) => [
            name,
            metrics.join(', '),
            formatCount(data?.documents ?? 0),
            formatCount(data?.requests ?? 0),
            chance === null ? '' : `${Math.round(chance * 100)} %`,
            data?.licence ?? '',
          ]),
          widthOf(stdout),
        ),
      );
    }
    await stdout.drained();
  },
};

export const evalCommands: CommandGroup = {
  name: 'eval',
  summary: 'score a model on zero-shot tasks, beside the published table',
  about: 'Scores models and servers on the tasks of the GPT-J table, and compares runs.',
  commands: [runCommand, EVAL_DIFF_COMMAND, tasksCommand, ...EVAL_STORE_COMMANDS],
  defaultCommand: 'run',
};
