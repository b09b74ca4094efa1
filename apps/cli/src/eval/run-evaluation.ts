/** Evaluates the tasks of a request one after the other. */
import { basename } from 'node:path';
import {
  createEvalModel,
  evaluateTask,
  type FormEvaluation,
  findTask,
  type Journal,
  type OwnTask,
  readDocuments,
  readOwnTask,
  readTaskDocuments,
  type TaskForm,
  textTask,
} from '@gptj-cloud/evals';
import type { CommandContext } from '../command.ts';
import { readTextFile } from '../read-text-file.ts';
import { createCountProgress } from './count-progress.ts';
import type { EvalRequest } from './eval-options.ts';
import type { OpenScorer } from './open-scorer.ts';

export interface EvaluationRun {
  readonly request: EvalRequest;
  readonly opened: OpenScorer;
  readonly journal: Journal | null;
  readonly context: CommandContext;
}

export async function runEvaluations(run: EvaluationRun): Promise<readonly FormEvaluation[]> {
  const evaluations: FormEvaluation[] = [];
  for (const own of await readTasks(run.request)) {
    for (const form of run.request.forms) evaluations.push(await evaluateOne(run, own, form));
  }
  return evaluations;
}

async function evaluateOne(run: EvaluationRun, own: OwnTask, form: TaskForm): Promise<FormEvaluation> {
  const { request, opened, journal, context } = run;
  const { task, documents: all } = own;
  const { signal, stderr, now } = context;
  const { shots, limit } = request;
  const fewShot = shots === 0 ? {} : { fewShot: { shots, examples: await readExamples(request, own), all } };
  const progress = createCountProgress(stderr, now, `${task.name}, ${form}`);
  try {
    const evaluation = await evaluateTask({
      model: createEvalModel({ ...opened, form, journal }),
      task,
      documents: limit === null ? all : all.slice(0, limit),
      ...fewShot,
      signal,
      onProgress: progress.update,
      bootstrap: {
        // Gives the terminal and Ctrl-C a turn between chunks.
        onChunk: () =>
          new Promise((resolve, reject) => {
            setImmediate(() => (signal.aborted ? reject(signal.reason) : resolve()));
          }),
      },
    });
    return { ...evaluation, form };
  } finally {
    progress.clear();
  }
}

async function readTasks({ tasks, taskFile, textFile, dataFolder }: EvalRequest): Promise<readonly OwnTask[]> {
  if (taskFile !== null) return [readOwnTask(await readTextFile(taskFile), basename(taskFile))];
  if (textFile !== null) return [textTask(await readTextFile(textFile), basename(textFile))];
  const owns: OwnTask[] = [];
  for (const name of tasks) {
    const task = findTask(name);
    owns.push({ task, documents: await readTaskDocuments(task, dataFolder) });
  }
  return owns;
}

/** Documents of another split, read as the task reads its own; null: the task's own documents. */
async function readExamples({ examplesFile }: EvalRequest, { task }: OwnTask): Promise<OwnTask['documents'] | null> {
  if (examplesFile === null) return null;
  return readDocuments(task, await readTextFile(examplesFile), basename(examplesFile));
}
