export type { AdapterRecord } from './adapters/adapter-record.ts';
export {
  adaptersFolder,
  addAdapter,
  listAdapters,
  removeAdapter,
  type StoredAdapter,
} from './adapters/adapter-store.ts';
export { exportModel } from './bundle/export-model.ts';
export { openFetch } from './download/proxy-fetch.ts';
export { hubCacheFolder } from './hub/hub-cache.ts';
export { type HubSettings, readHubSettings } from './hub/hub-settings.ts';
export { ModelStoreError } from './model-store-error.ts';
export { fitTypes, type TypeFit } from './pull/plan-type.ts';
export type { PullEvent } from './pull/pull-events.ts';
export { createPullJobs, type PullJob, type PullJobs, type PullRequest } from './pull/pull-jobs.ts';
export { pullModel } from './pull/pull-model.ts';
export { type FileUses, openFileUses, type UsedFile } from './store/file-uses.ts';
export { EMBEDDED_MODEL_NAME, isModelName } from './store/model-record.ts';
export { findModel, listModels, modelsFolder, type StoredModel } from './store/model-store.ts';
export { removeStoredModel } from './store/remove-model.ts';
