export { ConfigError, type ServerConfig, type ServerOptions } from './config.ts';
export type { Logger } from './logger.ts';
export { type RunningServer, type ServedModel, type ServeParts, serve } from './main.ts';
export { BackupError, type BackupErrorCode, dumpDataDir, restoreDataDir, writeBackup } from './ops/backup/backup.ts';
export { StoreError, type StoreErrorCode } from './store/store-error.ts';
