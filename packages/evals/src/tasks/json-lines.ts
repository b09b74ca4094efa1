import { EvaluationError } from '../evaluation-error.ts';

interface JsonLine {
  readonly fields: Readonly<Record<string, unknown>>;
  /** For messages: `tasks.jsonl line 3`. */
  readonly place: string;
}

/** The objects of a JSON Lines text; blank lines are left out. Throws `data_invalid` with the line. */
export function readJsonLines(text: string, file: string): readonly JsonLine[] {
  // Some editors begin a file with a byte order mark.
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, at) => {
      if (line.trim() === '') return [];
      const place = `${file} line ${at + 1}`;
      const value = parseLine(line, place);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new EvaluationError('data_invalid', `${place}: expected a JSON object, got ${line.slice(0, 80)}`);
      }
      return [{ fields: { ...value }, place }];
    });
}

function parseLine(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EvaluationError('data_invalid', `${place}: expected JSON: ${reason}`, { cause });
  }
}
