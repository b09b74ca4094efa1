/** The shapes that documents of several tasks share. */
import type { TaskDocument } from './task.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Choices {
  readonly context: string;
  readonly choices: readonly string[];
  readonly gold: number;
}

/** Each choice, after a space, continues the context. */
export function choiceDocument(fields: Fields, { context, choices, gold }: Choices): TaskDocument {
  const requests = choices.map((choice) => ({ context, continuation: ` ${choice}` }));
  return { fields, requests, choices, gold, example: `${context} ${choices[gold]}` };
}

/** The part after the last space is the continuation. An example has the space twice, as in the harness. */
export function lastWordDocument(fields: Fields, text: string): TaskDocument {
  const cut = text.lastIndexOf(' ');
  const context = cut < 0 ? '' : text.slice(0, cut);
  const continuation = ` ${text.slice(cut + 1)}`;
  return {
    fields,
    requests: [{ context, continuation }],
    choices: [continuation],
    gold: 0,
    example: `${context} ${continuation}`,
  };
}
