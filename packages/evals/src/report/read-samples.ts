/** Reads the texts of documents from the samples that `toHarnessSamples` writes. Throws `results_invalid`. */
import { EvaluationError } from '../evaluation-error.ts';

/** The texts of the requests of a document. */
export interface DocumentTexts {
  /** Place in the task's file. */
  readonly id: number;
  /** What all requests begin with. */
  readonly context: string;
  /** In which the requests differ: continuations, or contexts of one continuation. */
  readonly choices: readonly string[];
  /** What all requests end with, where the choices are contexts. */
  readonly continuation: string | null;
  /** The text that the model wrote. */
  readonly answer: string | null;
}

/** `name`: of the file, for messages. */
export function readSample(line: string, name: string): DocumentTexts {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid(name, 'a line of JSON', line, cause);
  }
  const { doc_id: id, arguments: given, resps, target } = recordOf(value, name);
  if (typeof id !== 'number') throw invalid(name, 'the number doc_id', id);
  const requests = Object.values(recordOf(given, name)).map((each) => recordOf(each, name));
  const contexts = requests.map(({ arg_0: text }) => textOf(text, name));
  const [answer] = Array.isArray(resps) ? resps : [];
  if (typeof answer === 'string') {
    return { id, context: contexts[0] ?? '', choices: [textOf(target, name)], continuation: null, answer };
  }
  // The text of a rolling request is its only argument.
  const continuations = requests.map(({ arg_1: text }) => (text === undefined ? null : textOf(text, name)));
  return { id, answer: null, ...arrange(contexts, continuations) };
}

function arrange(
  contexts: readonly string[],
  continuations: readonly (string | null)[],
): Pick<DocumentTexts, 'context' | 'choices' | 'continuation'> {
  const [context = ''] = contexts;
  const [continuation = null] = continuations;
  if (continuation === null) return { context: '', choices: contexts, continuation: null };
  if (contexts.every((each) => each === context)) {
    return { context, choices: continuations.map((each) => each ?? ''), continuation: null };
  }
  return { context: '', choices: contexts, continuation };
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalid(name, 'a string', value);
  return value;
}

function recordOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name, 'an object', value);
  return { ...value };
}

function invalid(name: string, expected: string, got: unknown, cause?: unknown): EvaluationError {
  const shown = (JSON.stringify(got) ?? 'nothing').slice(0, 120);
  return new EvaluationError('results_invalid', `${name}: expected ${expected}, got ${shown}`, { cause });
}
