import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError } from './config-error.ts';

/** Path of the GGUF file that ships with the project. Throws `ConfigError` when it is missing. */
export async function embeddedModelPath(): Promise<string> {
  // The path is valid from dist and from src.
  const folder = new URL('../../../models/gptj-nano/', import.meta.url);
  const names = await readdir(folder).catch(() => []);
  const name = names.filter((file) => file.endsWith('.gguf')).sort()[0];
  if (name === undefined) {
    throw new ConfigError(
      'GPTJ_MODEL: expected a GGUF file written by gptj convert, got none, and the embedded model is missing',
    );
  }
  return fileURLToPath(new URL(name, folder));
}
