export type StoreErrorCode =
  /** A migration file differs from the one that was applied to this store; restore the file. */
  | 'migration_changed'
  /** The store was written by a newer version; run that version. */
  | 'store_newer'
  /** A migration failed and was rolled back; the cause is in the log. */
  | 'migration_failed'
  /** Another server uses the data folder. */
  | 'data_dir_in_use'
  /** The data folder cannot be created, read or written. */
  | 'data_dir_unusable'
  /** PostgreSQL cannot open the data of the embedded store; the message has its reason. */
  | 'store_unusable'
  /** PostgreSQL does not answer at `DATABASE_URL`. */
  | 'database_unreachable';

/** The store cannot be opened. The message names the remedy. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
