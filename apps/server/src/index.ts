export type { ServerConfig, ServerOptions } from './config/parse-config.ts';
export { OTHER_VARIABLES, SERVE_OPTIONS } from './config/serve-options.ts';
export { ConfigError } from './config-error.ts';
export { type RunningServer, type ServedModel, type ServeParts, serve } from './main.ts';
export { BackupError, type BackupErrorCode, dumpDataDir, restoreDataDir, writeBackup } from './store/backup.ts';
export { StoreError, type StoreErrorCode } from './store/store-error.ts';
export type { Logger } from './telemetry/logger.ts';
