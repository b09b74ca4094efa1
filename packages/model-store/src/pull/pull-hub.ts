import { mkdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isConvertedByFile } from '@gptj-cloud/checkpoint';
import { type ChosenFiles, chooseFiles, shardsOf } from '../hub/choose-files.ts';
import { cachedSnapshot, repositoryFolder } from '../hub/hub-cache.ts';
import { fileUrl, type HubListing, listRevision } from '../hub/hub-listing.ts';
import type { HubAddress } from '../hub/model-address.ts';
import { ModelStoreError } from '../model-store-error.ts';
import { type ModelSource, toModelName } from '../store/model-record.ts';
import type { StoredModel } from '../store/model-store.ts';
import {
  type DownloadFilesOptions,
  downloadFiles,
  MAX_WEIGHTS_BYTES,
  type SizedFile,
  type WantedFile,
  withSizes,
} from './download-files.ts';
import { pullGrowing } from './pull-growing.ts';
import { httpOf, type PullOptions } from './pull-options.ts';
import { pullShards } from './pull-shards.ts';
import { openStaging, type Staging } from './staging.ts';
import {
  chooseType,
  convertedPath,
  convertIntoStore,
  findPresent,
  planFolder,
  removeOtherConversions,
  type StoreTarget,
  storeConverted,
} from './store-folder.ts';

/** Config, tokenizer and index. */
const MAX_SMALL_BYTES = 64 * 2 ** 20;

/** Download what is missing of a revision, convert it, store it. */
export async function pullFromHub(options: PullOptions, address: HubAddress): Promise<StoredModel> {
  const { models, endpoint: defaultEndpoint, tryLock, onEvent, signal, hubCache } = options;
  const endpoint = address.endpoint ?? defaultEndpoint;
  const { repository, revision } = address;
  const name = options.name ?? toModelName(repository.split('/')[1] ?? '');
  const staging = await openStaging(models, [endpoint, repository, revision], tryLock);
  try {
    const listing = staging.pinned ?? (await listOrCached(options, address, endpoint));
    if (listing === null) return await pullCached(options, address, staging);
    const source: ModelSource = { kind: 'hub', from: repository, revision, commit: listing.commit };
    onEvent({ type: 'source', source, resumed: staging.pinned !== null });
    const names = listing.files.map((file) => file.name);
    const chosen = chooseFiles(repository, names);
    if (staging.pinned === null) await staging.pin(listing);
    const folder = join(staging.folder, repositoryFolder(repository), 'snapshots', listing.commit);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const wanted = (file: string): WantedFile => {
      const listed = listing.files.find((each) => each.name === file);
      const { sizeBytes = null, checksum = null } = listed ?? {};
      return {
        url: fileUrl(endpoint, repository, listing.commit, file),
        path: join(folder, file),
        sizeBytes,
        checksum,
      };
    };
    const target: StoreTarget = { ...options, name, source };
    const present = await findPresent(target);
    if (present !== null) {
      await staging.discard();
      return present;
    }
    const http = httpOf(options);
    const cache = hubCache === null ? null : { folder: hubCache, repository };
    await downloadFiles(chosen.small.map(wanted), { http, cache, maxBytes: MAX_SMALL_BYTES, signal });
    const shards = (await weightsOf(repository, chosen, folder, names)).map(wanted);
    const weights = await withSizes(shards, http, signal);
    const download = {
      http,
      cache,
      maxBytes: MAX_WEIGHTS_BYTES,
      ...(options.sizes === undefined ? {} : { sizes: options.sizes }),
    };
    const pull = { folder, staging, weights, download, target };
    const byFile = chosen.index === null ? null : await isConvertedByFile(folder, chosen.index);
    const stored =
      chosen.index === null
        ? await pullSingle(pull)
        : byFile === null
          ? await pullWhole(pull)
          : await pullByShard({ ...pull, weights: beginWith(byFile.first, weights) });
    await staging.discard();
    return stored;
  } finally {
    await staging.close();
  }
}

interface WeightsPull {
  readonly folder: string;
  readonly staging: Staging;
  readonly weights: readonly SizedFile[];
  readonly download: Omit<DownloadFilesOptions, 'signal'>;
  readonly target: StoreTarget;
}

/** Download all weights, then convert them. */
async function pullWhole({ folder, staging, weights, download, target }: WeightsPull): Promise<StoredModel> {
  const { onEvent, signal } = target;
  const plan = await planFolder(folder, target, weights);
  await downloadFiles(weights, {
    ...download,
    signal,
    onProgress: (doneBytes, totalBytes, file) => onEvent({ type: 'download', doneBytes, totalBytes, file }),
  });
  return await convertIntoStore(folder, staging.folder, plan, target);
}

/** Convert the only file while it is downloaded. */
async function pullSingle({ folder, staging, weights, download, target }: WeightsPull): Promise<StoredModel> {
  const converted = convertedPath(staging.folder, await chooseType(folder, target));
  const isConverted = await isFile(converted);
  // The tensors of a process that was killed count for nothing, and must take no room of the disk.
  await removeOtherConversions(staging.folder, isConverted ? converted : 'none');
  const plan = await planFolder(folder, target, isConverted ? [] : weights);
  if (!isConverted) await pullGrowing({ folder, converted, file: weights[0]!, download, target }, plan);
  return await storeConverted(converted, plan, target);
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Convert every shard while the next one is downloaded. */
async function pullByShard({ folder, staging, weights, download, target }: WeightsPull): Promise<StoredModel> {
  const plan = await chooseType(folder, target);
  const converted = convertedPath(staging.folder, plan);
  await removeOtherConversions(staging.folder, converted);
  await pullShards({ folder, converted, shards: weights, download, target }, plan);
  return await storeConverted(converted, plan, target);
}

function beginWith(first: string, files: readonly SizedFile[]): readonly SizedFile[] {
  return [...files].sort((a, b) => Number(basename(b.path) === first) - Number(basename(a.path) === first));
}

async function weightsOf(
  repository: string,
  { weights, index }: ChosenFiles,
  folder: string,
  names: readonly string[],
): Promise<readonly string[]> {
  if (index === null) return weights;
  const text = await readFile(join(folder, index), 'utf8');
  return shardsOf(repository, index, parseIndex(text), names);
}

function parseIndex(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The listing of the hub; null where the cache has the revision and the hub is not asked, or not reached. */
async function listOrCached(options: PullOptions, address: HubAddress, endpoint: string): Promise<HubListing | null> {
  const { hubCache, offline, onEvent, signal } = options;
  const isCached = hubCache !== null && (await cachedSnapshot(hubCache, address.repository, address.revision)) !== null;
  if (offline) {
    if (isCached) return null;
    throw new ModelStoreError(
      'not_found',
      `${address.repository}@${address.revision}: expected it in the cache ${hubCache}, as HF_HUB_OFFLINE is set, found nothing`,
    );
  }
  try {
    return await listRevision(httpOf(options), endpoint, address, signal);
  } catch (error) {
    if (!(isCached && error instanceof ModelStoreError && error.code === 'connection_failed')) throw error;
    onEvent({ type: 'warning', message: `${error.message}; the cached files are used` });
    return null;
  }
}

/** Convert a snapshot of the cache where it is. */
async function pullCached(
  options: PullOptions,
  { repository, revision }: HubAddress,
  staging: Staging,
): Promise<StoredModel> {
  const snapshot = await cachedSnapshot(options.hubCache ?? '', repository, revision);
  if (snapshot === null)
    throw new ModelStoreError('not_found', `${repository}@${revision}: the cache has it no longer`);
  const { commit, folder, names } = snapshot;
  await weightsOf(repository, chooseFiles(repository, names), folder, names);
  const source: ModelSource = { kind: 'hub', from: repository, revision, commit };
  options.onEvent({ type: 'source', source, resumed: false });
  const name = options.name ?? toModelName(repository.split('/')[1] ?? '');
  const target: StoreTarget = { ...options, name, source };
  const stored = await convertIntoStore(folder, staging.folder, await planFolder(folder, target, []), target);
  await staging.discard();
  return stored;
}
