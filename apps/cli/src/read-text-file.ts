import { readFile, stat } from 'node:fs/promises';

/** A book has some megabytes. The limit bounds the memory that a wrong file can use. */
const MAX_BYTES = 256 * 1024 * 1024;

/** A text file as a whole, without a byte order mark. Throws for a path that is no file, and for what is no UTF-8. */
export async function readTextFile(path: string): Promise<string> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'found none' : `it cannot be read (${cause.code})`;
    throw new Error(`${path}: expected a file of text, ${why}`, { cause });
  });
  if (found.isDirectory()) throw new Error(`${path}: expected a file of text, got a folder`);
  if (found.size > MAX_BYTES) {
    throw new Error(`${path}: expected a file of at most ${MAX_BYTES} bytes, got ${found.size}`);
  }
  const bytes = await readFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${path}: expected UTF-8, got other bytes`, { cause });
  }
}
