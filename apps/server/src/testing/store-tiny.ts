import { access, copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';
import { writeTinyFolder } from './tiny-model.ts';

/** Put the tiny model into a data folder, as a pull does. `folder` gets the model as `tiny.gguf`, once. */
export async function storeTiny(folder: string, dataDir: string, name: string): Promise<void> {
  const source = join(folder, 'tiny.gguf');
  const isThere = await access(source).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await writeTinyFolder(folder);
    await convertCheckpoint({ source: folder, target: source, type: 'f32' });
  }
  const models = join(dataDir, 'models');
  await mkdir(models, { recursive: true });
  const file = `${name}.f32-000000000000.gguf`;
  await copyFile(source, join(models, file));
  const { size: sizeBytes } = await stat(join(models, file));
  const record = {
    name,
    type: 'f32',
    file,
    sizeBytes,
    sha256: '0'.repeat(64),
    source: { kind: 'folder', from: folder, revision: null, commit: null },
    storedAt: '2026-01-01T00:00:00Z',
  };
  await writeFile(join(models, `${name}.f32.json`), JSON.stringify(record));
}
