/** The model of reference log-likelihoods, converted once for all files of a run. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';
import { type OpenModel, openModel } from '@gptj-cloud/engine';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The path of the checkpoint that a file names, from its folder upwards or beside the project; null where there is none. */
export function findCheckpoint(name: string, folder: string): string | null {
  const places: string[] = [];
  for (let place = folder; ; place = dirname(place)) {
    places.push(place);
    if (dirname(place) === place) break;
  }
  places.push(ROOT, join(ROOT, '..', 'shared'));
  return places.map((place) => join(place, name)).find((path) => existsSync(join(path, 'config.json'))) ?? null;
}

/** Use the checkpoint in float32, with a float32 cache. */
export async function withReferenceModel<Result>(
  checkpoint: string,
  use: (opened: OpenModel) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-reference-'));
  try {
    const path = join(folder, 'model.gguf');
    await convertCheckpoint({ source: checkpoint, target: path, type: 'f32' });
    const opened = await openModel({ path, cacheType: 'f32', cacheCells: 8192 });
    try {
      return await use(opened);
    } finally {
      await opened.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
