/** The documents of a task: those that the project includes, or a file of a folder with the same sha256. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { EvaluationError } from '../evaluation-error.ts';
import { readJsonLines } from './json-lines.ts';
import type { Task, TaskDocument } from './task.ts';

const INCLUDED = fileURLToPath(new URL('../../data/', import.meta.url));
/** The largest file has 8.4 MB. */
const MAX_DATA_BYTES = 64 * 1024 * 1024;

/**
 * All documents of a built-in task. `folder`: where to read the file instead of the project's copy. Throws `data_missing`,
 * `data_changed` where the sha256 is another, and `data_invalid`.
 */
export async function readTaskDocuments(task: Task, folder: string | null = null): Promise<readonly TaskDocument[]> {
  const { data, name } = task;
  if (data === null)
    throw new EvaluationError('data_missing', `${name}: expected a built-in task, whose data are known`);
  const path = folder === null ? join(INCLUDED, `${data.file}.br`) : join(folder, data.file);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new EvaluationError('data_missing', `${name}: expected the file ${path}, from ${data.source}`, { cause });
  });
  const text = folder === null ? brotliDecompressSync(bytes, { maxOutputLength: MAX_DATA_BYTES }) : bytes;
  const sha256 = createHash('sha256').update(text).digest('hex');
  if (sha256 !== data.sha256) {
    throw new EvaluationError('data_changed', `${name}: expected ${path} to have sha256 ${data.sha256}, got ${sha256}`);
  }
  return readJsonLines(text.toString('utf8'), data.file).map(({ fields, place }) => readDocument(task, fields, place));
}

/** Adds the place to errors of a document. */
export function readDocument(task: Task, fields: Readonly<Record<string, unknown>>, place: string): TaskDocument {
  try {
    return task.read(fields);
  } catch (cause) {
    if (!(cause instanceof EvaluationError)) throw cause;
    throw new EvaluationError(cause.code, `${place}: ${cause.message}`, { cause });
  }
}
