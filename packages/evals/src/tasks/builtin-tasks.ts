import { EvaluationError } from '../evaluation-error.ts';
import { hellaswag } from './hellaswag.ts';
import { lambadaOpenai, lambadaStandard } from './lambada.ts';
import { mathqa } from './mathqa.ts';
import { piqa } from './piqa.ts';
import { pubmedqa } from './pubmedqa.ts';
import type { Task } from './task.ts';
import { winogrande } from './winogrande.ts';

/** In the order of the published table, then those beside it. */
export const BUILTIN_TASKS: readonly Task[] = [
  lambadaOpenai,
  winogrande,
  hellaswag,
  piqa,
  mathqa,
  pubmedqa,
  lambadaStandard,
];

/** Throws `task_unknown`. */
export function findTask(name: string): Task {
  const task = BUILTIN_TASKS.find((candidate) => candidate.name === name);
  if (task !== undefined) return task;
  const names = BUILTIN_TASKS.map((each) => each.name).join(', ');
  throw new EvaluationError('task_unknown', `expected a task of ${names}, got ${JSON.stringify(name)}`);
}
