import { join } from 'node:path';
import { gigabytes } from '@gptj-cloud/engine';
import { readSafeBytes } from '../download/journal.ts';
import { type ModelSource, toModelName } from '../store/model-record.ts';
import { checkName, type StoredModel } from '../store/model-store.ts';
import { checkDisk } from './check-disk.ts';
import { downloadFiles, MAX_WEIGHTS_BYTES, withSizes } from './download-files.ts';
import { httpOf, type PullOptions } from './pull-options.ts';
import { openStaging } from './staging.ts';
import { storeModelFile } from './store-file.ts';

/** Download one model file. */
export async function pullFile(options: PullOptions, url: string): Promise<StoredModel> {
  const { models, tryLock, onEvent, signal } = options;
  const shown = url.split('?')[0] ?? url;
  const staging = await openStaging(models, [url], tryLock);
  try {
    const source: ModelSource = { kind: 'url', from: shown, revision: null, commit: null };
    onEvent({ type: 'source', source, resumed: false });
    const name = options.name ?? toModelName(shown.split('/').at(-1) ?? '');
    await checkName(models, name, source.from);
    const path = join(staging.folder, 'download.gguf');
    const http = httpOf(options);
    const [file] = await withSizes([{ url, path, sizeBytes: null, checksum: null }], http, signal);
    const leftBytes = file!.sizeBytes - (await readSafeBytes(`${path}.journal`));
    await checkDisk(models, leftBytes, `${gigabytes(leftBytes)} to download`);
    await downloadFiles([file!], {
      http,
      cache: null,
      maxBytes: MAX_WEIGHTS_BYTES,
      ...(options.sizes === undefined ? {} : { sizes: options.sizes }),
      signal,
      onProgress: (doneBytes, totalBytes, file) => onEvent({ type: 'download', doneBytes, totalBytes, file }),
    });
    const stored = await storeModelFile(path, { ...options, name, source });
    await staging.discard();
    return stored;
  } finally {
    await staging.close();
  }
}
