import type { Database } from '../../store/db.ts';
import { type StoredFile, toFileGet } from './file.ts';
import { readSlices } from './file-slices-store.ts';

/** The JSON of a file with the hexadecimal digits of its bytes, slice by slice. */
export async function* fileJson(db: Database, file: StoredFile): AsyncGenerator<string> {
  const { data: _, ...rest } = toFileGet(file);
  yield `${JSON.stringify(rest).slice(0, -1)},"data":"`;
  for await (const bytes of readSlices(db, file)) yield Buffer.from(bytes).toString('hex');
  yield '"}';
}

/** A text before, the texts of a generator, and a text after them. */
export async function* surrounded(
  before: string,
  texts: AsyncGenerator<string>,
  after: string,
): AsyncGenerator<string> {
  yield before;
  yield* texts;
  yield after;
}
