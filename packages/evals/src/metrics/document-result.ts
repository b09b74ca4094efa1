/** The values that the metrics of a task have for one document, as lm-evaluation-harness computes them (`process_results`). */
import { bestIndex } from '@gptj-cloud/model';
import type { RequestScore } from '../scoring/request-scores.ts';
import type { MetricName, Task, TaskDocument } from '../tasks/task.ts';

/** A number for each document, or a sum with its weight for metrics over whole texts. */
export type MetricItem = number | { readonly logLikelihood: number; readonly weight: number };

export interface DocumentAnswer {
  /** For each request. */
  readonly scores: readonly RequestScore[];
  /** Of `generate`: the text. */
  readonly text: string | null;
  /** Of `rolling`: tokens that were scored. */
  readonly tokens: number;
}

export type DocumentItems = Readonly<Partial<Record<MetricName, MetricItem>>>;

export function toItems(task: Pick<Task, 'kind'>, document: TaskDocument, answer: DocumentAnswer): DocumentItems {
  switch (task.kind) {
    case 'log-likelihood': {
      const { logLikelihood, isGreedy } = answer.scores[0]!;
      return { perplexity: logLikelihood, acc: Number(isGreedy) };
    }
    case 'multiple-choice':
    case 'multiple-context': {
      const scores = answer.scores.map(({ logLikelihood }) => logLikelihood);
      const isRight = (values: readonly number[]): number => Number(bestIndex(values) === document.gold);
      return {
        acc: isRight(scores),
        acc_norm: isRight(scores.map((score, at) => score / codePoints(document.choices[at]!))),
        acc_bytes: isRight(scores.map((score, at) => score / utf8Bytes(document.choices[at]!))),
      };
    }
    case 'rolling': {
      const { logLikelihood } = answer.scores[0]!;
      const text = document.requests[0]!.continuation;
      const per = (weight: number): MetricItem => ({ logLikelihood, weight });
      return {
        word_perplexity: per(text.split(/\s+/).length),
        byte_perplexity: per(utf8Bytes(text)),
        bits_per_byte: per(utf8Bytes(text)),
        token_perplexity: per(answer.tokens),
      };
    }
    case 'generate':
      return { exact_match: Number(answer.text?.trim() === document.choices[document.gold]!.trim()) };
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
