import { join } from 'node:path';
import { type ModelSource, toModelName } from '../store/model-record.ts';
import { checkName, type StoredModel } from '../store/model-store.ts';
import { downloadFiles, MAX_WEIGHTS_BYTES } from './download-files.ts';
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
    await downloadFiles([{ url, path, sizeBytes: null, checksum: null }], {
      http: httpOf(options),
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
