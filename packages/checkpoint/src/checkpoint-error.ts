export type CheckpointErrorCode =
  /** The path, or a file that must lie next to it, does not exist or cannot be read. */
  | 'not_found'
  /** The operating system refused to read or write. */
  | 'io'
  /** A header, an index or a directory breaks the rules of its format. */
  | 'malformed'
  /** A count or a length is past what this reader accepts. */
  | 'too_large'
  /** The file ends before the bytes that its header promises. */
  | 'truncated'
  /** Well-formed, but not something this project reads: compression, byte order, version, type, architecture. */
  | 'unsupported'
  /** A tensor that GPT-J has is not in the checkpoint. */
  | 'missing_tensor'
  /** The checkpoint has a tensor that GPT-J has not. */
  | 'unexpected_tensor'
  /** Two entries of the checkpoint have the same tensor name. */
  | 'duplicate_tensor'
  /** A tensor has another shape than the configuration gives it. */
  | 'wrong_shape'
  /** A tensor has another number format than its place allows. */
  | 'wrong_type'
  /** A weight does not fit the number format of the target. */
  | 'out_of_range'
  /** config.json or the metadata contradicts itself or the weights. */
  | 'invalid_config'
  /** The tokenizer's files are missing parts or do not fit the vocabulary. */
  | 'invalid_tokenizer'
  /** The file to write exists; pass `--overwrite`, or choose another name. */
  | 'target_exists'
  /** The target is a folder, a device, a symbolic link or the like; only a regular file is replaced. */
  | 'target_not_a_file'
  /** The target has no room for the file. */
  | 'disk_full'
  /** The caller aborted the work. */
  | 'aborted'
  /** The checkpoint was closed before it was read. */
  | 'closed';

/** Which file, and where it applies which tensor, an error is about. */
export interface CheckpointErrorPlace {
  readonly file: string;
  readonly tensor?: string;
}

/** Everything that reading, writing or converting weights refuses. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly code: CheckpointErrorCode;
  readonly file: string;
  readonly tensor: string | null;

  constructor(code: CheckpointErrorCode, place: CheckpointErrorPlace, message: string, options?: ErrorOptions) {
    super(`${place.file}: ${place.tensor === undefined ? '' : `${place.tensor}: `}${message}`, options);
    this.code = code;
    this.file = place.file;
    this.tensor = place.tensor ?? null;
  }
}
