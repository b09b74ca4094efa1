/** Documents of evaluations, and how a model answered them. */
import { booleanAt, listOf, nullable, numberAt, objectAt, type Parse, record, stringAt } from '../fields.ts';

export interface NewEvaluationDocument {
  /** Place in the file of the task, from 0. */
  readonly id: number;
  /** Index of the right request. */
  readonly gold: number;
  readonly logLikelihoods: readonly number[];
  /** Whether greedy decoding writes the continuation, for each request. */
  readonly greedy: readonly boolean[];
  /** By metric. */
  readonly values: Readonly<Record<string, number>>;
  /** What all requests begin with; null: not stored. */
  readonly context: string | null;
  /** In which the requests differ: continuations, or contexts of one continuation. */
  readonly choices: readonly string[];
  /** What all requests end with, where the choices are contexts. */
  readonly continuation: string | null;
  /** The text that the model wrote, of tasks that generate. */
  readonly answer: string | null;
}

export interface EvaluationDocument extends NewEvaluationDocument {
  /** Log-likelihood of the right request above the best other one; of one request, its log-likelihood. */
  readonly margin: number | null;
  /** By `acc` or `exact_match`; null: the task has neither. */
  readonly isRight: boolean | null;
  /** By `acc_norm`. */
  readonly isRightNormalized: boolean | null;
}

/** An object whose fields are of one type, under any names. */
export function valuesOf<Value>(parse: Parse<Value>): Parse<Readonly<Record<string, Value>>> {
  return (value, field) =>
    Object.fromEntries(Object.entries(objectAt(value, field)).map(([name, each]) => [name, parse(each, name)]));
}

export const parseDocument: (value: unknown, field?: string) => EvaluationDocument = record<EvaluationDocument>({
  id: numberAt,
  gold: numberAt,
  logLikelihoods: listOf(numberAt),
  greedy: listOf(booleanAt),
  values: valuesOf(numberAt),
  context: nullable(stringAt),
  choices: listOf(stringAt),
  continuation: nullable(stringAt),
  answer: nullable(stringAt),
  margin: nullable(numberAt),
  isRight: nullable(booleanAt),
  isRightNormalized: nullable(booleanAt),
});
