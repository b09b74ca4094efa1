import { stat } from 'node:fs/promises';
import { fitOf } from '@gptj-cloud/checkpoint';
import type { GptjConfig } from '@gptj-cloud/model';

/** A stored adapter, as `convertAdapter` writes it, and the name by which requests choose it. */
export interface AdapterFile {
  readonly name: string;
  readonly path: string;
  /** `fitOf` the models that it fits. */
  readonly fits: string;
}

/** The adapters that fit a model: a data folder may have some for others. */
export function adaptersFor(config: GptjConfig, files: readonly AdapterFile[] = []): readonly AdapterFile[] {
  const fits = fitOf(config);
  return files.filter((file) => file.fits === fits);
}

/** Bytes of adapters, which take as much memory. A file that is gone is left out when it is read, with a warning. */
export async function adapterBytes(files: readonly AdapterFile[]): Promise<number> {
  const sizes = files.map(async ({ path }) => (await stat(path).catch(() => ({ size: 0 }))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
