import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EMBEDDED_MODEL_NAME, findModel, isModelName } from '@gptj-cloud/model-store';
import { storeFolder } from './store-options.ts';

/** Folder of the model in the repository, relative to this file. */
const EMBEDDED = fileURLToPath(new URL('../../../models/gptj-nano/', import.meta.url));

/** `--model`, else `GPTJ_MODEL`, else the embedded model. Throws when none of them exists. */
export function chooseModel(option: string | undefined, env: NodeJS.ProcessEnv, embedded: string = EMBEDDED): string {
  const named = option ?? env.GPTJ_MODEL;
  if (named !== undefined && named !== '') return named;
  const file = embeddedModel(embedded);
  if (file === null)
    throw new Error('found no model: pass --model FILE or set GPTJ_MODEL to a file written by gptj convert');
  return file;
}

/** Path of the model that ships with the command, whose vocabulary is GPT-J's; null where it is missing. */
export function embeddedModel(embedded: string = EMBEDDED): string | null {
  const [name] = listFiles(embedded)
    .filter((file) => file.endsWith('.gguf'))
    .sort();
  return name === undefined ? null : join(embedded, name);
}

/** `--draft-model`, else `GPTJ_DRAFT_MODEL`: a file, the name of a pulled model, or `embedded`; null: none. */
export async function findDraftModel(option: string | undefined, env: NodeJS.ProcessEnv): Promise<string | null> {
  const named = (option ?? env.GPTJ_DRAFT_MODEL ?? '').trim();
  if (named === '') return null;
  return await findLocalModel(named, env);
}

/** {@link chooseModel}, where a name that is no file or folder is that of a pulled model, or `embedded`. */
export async function findLocalModel(option: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  const chosen = chooseModel(option, env);
  if (!isModelName(chosen) || existsSync(chosen)) return chosen;
  if (chosen === EMBEDDED_MODEL_NAME) return embeddedModel() ?? chosen;
  return (await findModel(storeFolder(null, env), chosen))?.path ?? chosen;
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
