import { stat } from 'node:fs/promises';
import { fitOf } from '@gptj-cloud/checkpoint';
import type { GptjConfig } from '@gptj-cloud/model';

/** A stored adapter, as `convertAdapter` writes it, and the name by which requests choose it. */
export interface AdapterFile {
  readonly name: string;
  readonly path: string;
  /** `fitOf` the models that it fits. */
  readonly fits: string;
  /** Of the file. Default: its name stands for one file as long as the model is open. */
  readonly sha256?: string;
}

/** What an engine calls an adapter within: the name may later be that of another file. */
export function adapterId({ name, sha256 }: AdapterFile): string {
  return sha256 === undefined ? name : `${name}#${sha256.slice(0, 32)}`;
}

/** Whether an id stands for the bytes of one file, in every process. */
export function namesBytes(id: string): boolean {
  return id.includes('#');
}

/** The name of an id. Names have no `#`. */
export function adapterName(id: string): string {
  return id.split('#', 1)[0]!;
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
