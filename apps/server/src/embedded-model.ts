import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError } from './config-error.ts';

/** The GGUF file that comes with the project. Throws `ConfigError` when it is not there. */
export async function embeddedModelPath(): Promise<string> {
  // From dist and from src alike.
  const folder = new URL('../../../models/gptj-nano/', import.meta.url);
  const names = await readdir(folder).catch(() => []);
  const name = names.filter((file) => file.endsWith('.gguf')).sort()[0];
  if (name === undefined) {
    throw new ConfigError(
      'GPTJ_MODEL: expected a GGUF file, got none, and no embedded model is here; name a file of gptj convert',
    );
  }
  return fileURLToPath(new URL(name, folder));
}
