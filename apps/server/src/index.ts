export type { ServerConfig, ServerOptions } from './config/parse-config.ts';
export { OTHER_VARIABLES, SERVE_OPTIONS } from './config/serve-options.ts';
export { type RunningServer, type ServeParts, serve } from './main.ts';
export type { ServedModel } from './start/open-models.ts';
export { dumpDataDir, restoreDataDir, writeBackup } from './store/backup.ts';
export { makeFolder } from './store/make-folder.ts';
export { copyFromPostgres, copyToPostgres } from './store/move-store.ts';
export { tryLockFolder } from './store/try-lock-folder.ts';
export type { Logger } from './telemetry/logger.ts';
