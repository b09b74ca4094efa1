/** The options of `gptj eval run`, and the run that they describe. */
import { BUILTIN_TASKS, SELF_CHECKS, type SelfCheck, TASK_FORMS, type TaskForm } from '@gptj-cloud/evals';
import type { OptionGroup } from '../command.ts';
import { integerOption, isOn, listOption, type OptionSpec, type ParsedOptions, UsageError } from '../options.ts';

const BOTH = 'both';
const ALL = 'all';
/** The tasks of the published table. */
const TABLE_TASKS = ['lambada_openai', 'winogrande', 'hellaswag', 'piqa'];

export const TASK_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'tasks',
    value: 'NAMES',
    summary: `tasks to run, separated by commas, see gptj eval tasks; ${ALL} for all`,
    default: 'those of the published table',
  },
  { name: 'task-file', value: 'FILE', summary: 'a task of your own in JSON Lines, in place of --tasks' },
  { name: 'text', value: 'FILE', summary: 'a text whose perplexity is computed, in place of --tasks' },
  {
    name: 'form',
    value: 'FORM',
    summary: 'harness: as lm-evaluation-harness today; published: as the table of GPT-J was made',
    choices: [...TASK_FORMS, BOTH],
    default: `${BOTH}; harness with --task-file, --text or --shots`,
  },
  { name: 'limit', value: 'N', summary: 'evaluate only the first N documents of each task', default: 'all' },
  {
    name: 'shots',
    value: 'N',
    summary: 'examples before each document, drawn as the harness draws them',
    default: '0',
  },
  {
    name: 'examples',
    value: 'FILE',
    summary: 'with --shots: JSON Lines to draw examples from, such as a training split',
    default: "the task's own documents",
  },
  { name: 'data', value: 'DIR', summary: 'folder with the files of the tasks', default: 'the included ones' },
];

export const RESULT_GROUP: OptionGroup = {
  title: 'results',
  options: [
    {
      name: 'out',
      value: 'DIR',
      summary: 'folder for evaluation.json, results.json, samples_*.jsonl, chart.svg and chart.png',
      default: 'none: the tables are printed',
    },
    {
      name: 'store',
      value: null,
      summary: 'store the report and the answers to all documents with the server of the profile, or of --url',
    },
    { name: 'json', value: null, summary: 'print the scores with what they depend on as JSON, without documents' },
    {
      name: 'training-flops',
      value: 'N',
      summary: 'operations that trained the model, for its place in the chart; 1.5e22 for GPT-J',
      default: 'a line across the chart',
    },
    {
      name: 'journal',
      value: 'FILE',
      summary: 'file of scores that a later run does not compute again; none: no file',
      default: 'DATA_DIR/evals/journal.jsonl, else ./data/evals/journal.jsonl',
    },
    {
      name: 'skip-check',
      value: 'NAMES',
      summary: `self-checks to leave out, separated by commas: ${Object.keys(SELF_CHECKS).join(', ')}`,
      default: 'none',
    },
  ],
};

export interface EvalRequest {
  readonly tasks: readonly string[];
  readonly taskFile: string | null;
  readonly textFile: string | null;
  readonly forms: readonly TaskForm[];
  readonly limit: number | null;
  readonly shots: number;
  readonly examplesFile: string | null;
  readonly dataFolder: string | null;
  readonly out: string | null;
  readonly isStored: boolean;
  readonly asJson: boolean;
  readonly trainingFlops: number | null;
  readonly skippedChecks: readonly SelfCheck[];
}

/** Throws `UsageError`. */
export function readEvalOptions(options: ParsedOptions): EvalRequest {
  const text = (name: string): string | null => options.values.get(name) ?? null;
  const taskFile = text('task-file');
  const textFile = text('text');
  const sources = ['tasks', 'task-file', 'text'].filter((name) => options.values.has(name));
  if (sources.length > 1) throw new UsageError(`expected one of ${sources.map((name) => `--${name}`).join(' and ')}`);
  const shots = integerOption(options, 'shots', { min: 0, max: 100 }) ?? 0;
  const examplesFile = text('examples');
  if (examplesFile !== null && shots === 0) throw new UsageError('--examples: expected --shots N with it');
  return {
    tasks: taskFile === null && textFile === null ? readTasks(options) : [],
    taskFile,
    textFile,
    forms: readForms(options, shots > 0 || taskFile !== null || textFile !== null),
    limit: integerOption(options, 'limit', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    shots,
    examplesFile,
    dataFolder: text('data'),
    out: text('out'),
    isStored: isOn(options, 'store'),
    asJson: isOn(options, 'json'),
    trainingFlops: readFlops(text('training-flops')),
    skippedChecks: readChecks(options),
  };
}

function readTasks(options: ParsedOptions): readonly string[] {
  const names = listOption(options, 'tasks') ?? TABLE_TASKS;
  const known = BUILTIN_TASKS.map(({ name }) => name);
  if (names.includes(ALL)) return known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined || names.length === 0) {
    throw new UsageError(
      `--tasks: expected ${ALL} or some of ${known.join(', ')}, got ${JSON.stringify(unknown ?? '')}`,
    );
  }
  return [...new Set(names)];
}

/** ftfy changes a text depending on what precedes it, so the published form is that of single documents. */
function readForms(options: ParsedOptions, isHarnessOnly: boolean): readonly TaskForm[] {
  const given = options.values.get('form');
  if (isHarnessOnly) {
    if (given === undefined || given === 'harness') return ['harness'];
    throw new UsageError('--form: expected harness with --task-file, --text or --shots: nothing was published so');
  }
  return given === undefined || given === BOTH ? TASK_FORMS : TASK_FORMS.filter((form) => form === given);
}

function readFlops(text: string | null): number | null {
  if (text === null) return null;
  const flops = Number(text);
  if (flops >= 1e9 && flops <= 1e30) return flops;
  throw new UsageError(`--training-flops: expected a number from 1e9 to 1e30, got ${JSON.stringify(text)}`);
}

function readChecks(options: ParsedOptions): readonly SelfCheck[] {
  const known = Object.keys(SELF_CHECKS);
  return (listOption(options, 'skip-check') ?? []).map((name) => {
    if (!isCheck(name)) throw new UsageError(`--skip-check: expected some of ${known.join(', ')}, got ${name}`);
    return name;
  });
}

function isCheck(name: string): name is SelfCheck {
  return Object.hasOwn(SELF_CHECKS, name);
}
