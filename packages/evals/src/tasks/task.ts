/**
 * A task is data: where its documents come from, how one becomes requests, and which metrics count.
 *
 * Terms
 * - **document**: one line of the data file.
 * - **request**: a context and a continuation whose log-likelihood under the model is wanted.
 * - **form**: how the texts of requests reach the model. `harness` is that of lm-evaluation-harness today; `published` is
 *   that of the table of GPT-J, made by mesh-transformer-jax: every context begins with `<|endoftext|>`, curly quotes
 *   become straight, texts are normalised to NFKC, and context and continuation are tokenised apart.
 */
import type { TextRequest } from '../requests/text-request.ts';

export type TaskForm = 'harness' | 'published';
export const TASK_FORMS: readonly TaskForm[] = ['harness', 'published'];

export type MetricName =
  | 'acc'
  | 'acc_norm'
  | 'acc_bytes'
  | 'perplexity'
  | 'exact_match'
  | 'word_perplexity'
  | 'byte_perplexity'
  | 'token_perplexity'
  | 'bits_per_byte';

/** How the answers of a document are scored. */
export type TaskKind =
  /** One request: is the continuation the greedy one, and how likely is it? */
  | 'log-likelihood'
  /** One request for each choice, which is its continuation. */
  | 'multiple-choice'
  /** One request for each choice, which is part of its context; the continuation is the same. */
  | 'multiple-context'
  /** The likelihood of a whole text. */
  | 'rolling'
  /** The greedy continuation is compared with the target. */
  | 'generate';

/** A document as a task reads it. */
export interface TaskDocument {
  /** The line of the file. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of `rolling`: the text is the continuation, and the context is empty. */
  readonly requests: readonly TextRequest[];
  /** The choices whose lengths divide the log-likelihoods of `acc_norm`. */
  readonly choices: readonly string[];
  /** Index of the right request. */
  readonly gold: number;
  /** The document with its answer, as an example before another document. */
  readonly example: string;
}

export interface TaskData {
  /** Name of the JSON Lines file. */
  readonly file: string;
  readonly sha256: string;
  readonly documents: number;
  readonly requests: number;
  readonly licence: string;
  /** Where the file or its contents come from. */
  readonly source: string;
}

export interface Task {
  readonly name: string;
  readonly title: string;
  /** Of the harness's task; a change of prompts or metrics gets a new one. */
  readonly version: number;
  readonly kind: TaskKind;
  readonly metrics: readonly MetricName[];
  /** Accuracy of random answers; null where there is none. */
  readonly chance: number | null;
  /** Null: a task from a file of the caller. */
  readonly data: TaskData | null;
  /** sha256 of the requests of all documents, see `hashRequests`; null where they are not known. */
  readonly requestHashes: Readonly<Record<TaskForm, string>> | null;
  /**
   * Whether a document is left out of its own few-shot examples, for which the harness draws one example more. `own`: where
   * examples come from the task's own file; `other`: where they come from another split. The harness does where the splits
   * that it declares for examples and for documents have the same name, and none counts as a name.
   */
  readonly leavesOutDocument: { readonly own: boolean; readonly other: boolean };
  /** Whether files in the harness's format name the right answer by its text. Default: by its index. */
  readonly targetIsText?: boolean;
  /** Throws `data_invalid` for a line that is not of this task. */
  read(fields: Readonly<Record<string, unknown>>): TaskDocument;
}
