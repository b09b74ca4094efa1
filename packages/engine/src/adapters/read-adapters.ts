import { type AdapterWeights, CheckpointError, readAdapter } from '@gptj-cloud/checkpoint';
import type { GptjConfig } from '@gptj-cloud/model';
import type { AdapterFile } from './adapter-file.ts';

/**
 * Read adapters one after another and hand each to `load`. A damaged file, or one that does not fit the model, must not keep
 * the model from being served: it is left out, with a warning.
 *
 * @param rows of q and k: in the order of the export, or of GPT-J
 */
export async function readAdapters(
  files: readonly AdapterFile[],
  config: GptjConfig,
  rows: 'exported' | 'original',
  load: (file: AdapterFile, weights: AdapterWeights) => void,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const file of files) {
    try {
      load(file, await readAdapter(file.path, config, rows));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      warnings.push(`adapter ${file.name} is not loaded: ${error.message}`);
    }
  }
  return warnings;
}
