import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the model in the repository, relative to this file. */
const EMBEDDED = fileURLToPath(new URL('../../../models/gptj-nano/', import.meta.url));

/** `--model`, else `GPTJ_MODEL`, else the embedded model. Throws when none of them exists. */
export function chooseModel(option: string | undefined, env: NodeJS.ProcessEnv, embedded: string = EMBEDDED): string {
  const named = option ?? env.GPTJ_MODEL;
  if (named !== undefined && named !== '') return named;
  const files = listFiles(embedded)
    .filter((name) => name.endsWith('.gguf'))
    .sort();
  if (files[0] === undefined)
    throw new Error('found no model: pass --model FILE or set GPTJ_MODEL to a file written by gptj convert');
  return join(embedded, files[0]);
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
