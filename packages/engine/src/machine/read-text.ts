import { readFileSync } from 'node:fs';

/** Reads a file of the system; null when there is none. Tests replace it. */
export type ReadText = (path: string) => string | null;

export const readSystemFile: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};
