import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findModel, isModelName } from '@gptj-cloud/model-store';
import { storeFolder } from './store-options.ts';

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

/** {@link chooseModel}, where a name is that of a pulled model unless it names a file or a folder. */
export async function findLocalModel(option: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  const chosen = chooseModel(option, env);
  if (!isModelName(chosen) || existsSync(chosen)) return chosen;
  return (await findModel(storeFolder(null, env), chosen))?.path ?? chosen;
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
