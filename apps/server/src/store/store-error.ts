export type StoreErrorCode =
  | 'migration_changed'
  | 'store_newer'
  | 'migration_failed'
  | 'data_dir_in_use'
  | 'data_dir_unusable'
  | 'database_unreachable';

/** The store cannot be opened as it is. The message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
