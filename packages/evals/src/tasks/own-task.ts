/**
 * A task of the caller: a JSON Lines file whose lines have one of four shapes.
 *
 * - `{"context", "choices": […], "gold": 0}`: multiple choice
 * - `{"context", "continuation"}`: log-likelihood and greedy match of a continuation
 * - `{"prompt", "target", "until"?: […]}`: the greedy text up to one of `until` (default: a line break) equals the target
 * - `{"text"}`: perplexity of a whole text
 */
import { EvaluationError } from '../evaluation-error.ts';
import { choiceDocument } from './documents.ts';
import { indexField, invalidField, textField, textsField } from './fields.ts';
import { readJsonLines } from './json-lines.ts';
import type { MetricName, Task, TaskDocument, TaskKind } from './task.ts';
import { readDocument } from './task-file.ts';

interface Shape {
  readonly kind: TaskKind;
  readonly metrics: readonly MetricName[];
  /** The field that no other shape has. */
  readonly mark: string;
  readonly read: Task['read'];
}

const SHAPES: readonly Shape[] = [
  {
    kind: 'multiple-choice',
    metrics: ['acc', 'acc_norm', 'acc_bytes'],
    mark: 'choices',
    read(fields) {
      const choices = textsField(fields, 'choices');
      const gold = indexField(fields, 'gold', choices.length);
      return choiceDocument(fields, { context: textField(fields, 'context'), choices, gold });
    },
  },
  {
    kind: 'log-likelihood',
    metrics: ['perplexity', 'acc'],
    mark: 'continuation',
    read: (fields) => oneRequest(fields, textField(fields, 'context'), textField(fields, 'continuation')),
  },
  {
    kind: 'generate',
    metrics: ['exact_match'],
    mark: 'target',
    read: (fields) => oneRequest(fields, textField(fields, 'prompt'), textField(fields, 'target')),
  },
  {
    kind: 'rolling',
    metrics: ['word_perplexity', 'byte_perplexity', 'token_perplexity', 'bits_per_byte'],
    mark: 'text',
    read(fields) {
      const text = textField(fields, 'text');
      if (text === '') throw invalidField('text', 'at least one character', text);
      return oneRequest(fields, '', text);
    },
  },
];

export interface OwnTask {
  readonly task: Task;
  readonly documents: readonly TaskDocument[];
}

/** Throws `data_invalid` with the line. `name`: of the task, and of the file in messages. */
export function readOwnTask(text: string, name: string): OwnTask {
  const lines = readJsonLines(text, name);
  const [first] = lines;
  const shape = SHAPES.find(({ mark }) => first !== undefined && Object.hasOwn(first.fields, mark));
  if (first === undefined || shape === undefined) {
    const marks = SHAPES.map(({ mark }) => mark).join(', ');
    const got = first === undefined ? 'no line' : Object.keys(first.fields).join(', ').slice(0, 120);
    throw new EvaluationError('data_invalid', `${name}: expected lines with one of the fields ${marks}, got ${got}`);
  }
  const task: Task = {
    name,
    title: name,
    version: 0,
    kind: shape.kind,
    metrics: shape.metrics,
    chance: null,
    data: null,
    requestHashes: null,
    leavesOutDocument: { own: true, other: false },
    read: shape.read,
  };
  return { task, documents: readDocuments(task, text, name) };
}

/** The documents of a JSON Lines text that a task reads. `name`: of the file in messages. */
export function readDocuments(task: Task, text: string, name: string): readonly TaskDocument[] {
  return readJsonLines(text, name).map(({ fields, place }) => readDocument(task, fields, place));
}

/** A text whose perplexity is wanted, as a task. */
export function textTask(text: string, name: string): OwnTask {
  return readOwnTask(JSON.stringify({ text }), name);
}

function oneRequest(fields: TaskDocument['fields'], context: string, continuation: string): TaskDocument {
  return {
    fields,
    requests: [{ context, continuation }],
    choices: [continuation],
    gold: 0,
    example: context + continuation,
  };
}
