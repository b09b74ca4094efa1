export type ModelStoreErrorCode =
  /** The name, address or reference of a model is not valid. */
  | 'address_invalid'
  /** The hub, the address, the folder or the store has no such model or file. */
  | 'not_found'
  /** The hub refuses access without a token, or with this one. */
  | 'not_allowed'
  /** The source has no files that can be converted. */
  | 'not_convertible'
  /** A server's reply contradicts the protocol, or itself. */
  | 'reply_invalid'
  /** The server could not be reached, or failed again and again. */
  | 'connection_failed'
  /** The file at the address is another one than when the download began. */
  | 'changed'
  /** The bytes that arrived do not have the expected hash. */
  | 'hash_mismatch'
  /** The disk has too little free space. */
  | 'disk_full'
  /** No type, or not the requested one, fits into the free memory. */
  | 'memory_full'
  /** Another process works on the same model. */
  | 'in_use'
  /** The store has another model under this name. */
  | 'name_taken'
  /** A bundle is damaged, or is none. */
  | 'bundle_invalid'
  /** The file to write exists. */
  | 'target_exists'
  /** The caller aborted the work. */
  | 'aborted'
  /** The operating system refused to read or write. */
  | 'io';

/** Thrown when a model cannot be downloaded, stored or found. */
export class ModelStoreError extends Error {
  override readonly name = 'ModelStoreError';
  readonly code: ModelStoreErrorCode;

  constructor(code: ModelStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The errno code of a system error (`ENOENT`, …), or null for another error. */
export function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** The error of a write to `path`: `disk_full` or `io`. */
export function writeError(path: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (cause instanceof ModelStoreError || errno === null) return cause;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new ModelStoreError(
      'disk_full',
      `${path}: the disk is full; free space and repeat the command, which goes on where it stopped`,
      { cause },
    );
  }
  return new ModelStoreError('io', `${path}: could not write (${errno})`, { cause });
}
