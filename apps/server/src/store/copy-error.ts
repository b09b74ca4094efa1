export type CopyErrorCode =
  /** The store to copy into holds data. */
  | 'target_not_empty'
  /** A server uses the store to copy from. */
  | 'store_in_use'
  /** The stores have different tables, or the rows of the target differ from those of the source. */
  | 'copy_differs'
  /** The operator stopped the copy. */
  | 'copy_stopped';

/** A store could not be copied; the target is unchanged. The message names the remedy. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly code: CopyErrorCode;

  constructor(code: CopyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
