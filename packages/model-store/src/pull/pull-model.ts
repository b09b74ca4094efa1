import { resolve } from 'node:path';
import { parseModelAddress } from '../hub/model-address.ts';
import type { StoredModel } from '../store/model-store.ts';
import { pullFile } from './pull-file.ts';
import { pullFromHub } from './pull-hub.ts';
import type { PullOptions } from './pull-options.ts';
import { pullPath } from './pull-path.ts';

/**
 * Bring a model into the store: download what is missing, convert it, move it into place. After a failure, an abort or
 * `kill -9` the next call goes on where it stopped. Throws `ModelStoreError`, and `CheckpointError` for files that do not
 * convert.
 */
export async function pullModel(options: PullOptions): Promise<StoredModel> {
  const address = parseModelAddress(options.from);
  switch (address.kind) {
    case 'hub':
      return await pullFromHub(options, address);
    case 'file':
      return await pullFile(options, address.url);
    case 'path':
      return await pullPath(options, resolve(address.path));
    default:
      return address satisfies never;
  }
}
