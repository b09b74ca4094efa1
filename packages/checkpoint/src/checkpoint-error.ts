export type CheckpointErrorCode =
  /** The path, or a file that must lie next to it, does not exist or cannot be read. */
  | 'not_found'
  /** The operating system refused to read or write. */
  | 'io'
  /** A header, an index or a directory violates its format. */
  | 'malformed'
  /** A count or a length exceeds the limit of this reader. */
  | 'too_large'
  /** The file ends before the data that its header declares. */
  | 'truncated'
  /** Well-formed, but not supported: compression, byte order, version, type, architecture. */
  | 'unsupported'
  /** The checkpoint lacks a tensor of GPT-J. */
  | 'missing_tensor'
  /** The checkpoint has a tensor that GPT-J does not have. */
  | 'unexpected_tensor'
  /** Two entries of the checkpoint have the same tensor name. */
  | 'duplicate_tensor'
  /** A tensor has another shape than the configuration gives it. */
  | 'wrong_shape'
  /** A tensor has an element type that is not allowed for it. */
  | 'wrong_type'
  /** A weight exceeds the range of the target's number format. */
  | 'out_of_range'
  /** config.json or the metadata is inconsistent, in itself or with the weights. */
  | 'invalid_config'
  /** The tokenizer's files are missing parts or do not fit the vocabulary. */
  | 'invalid_tokenizer'
  /** The file to write exists; pass `--overwrite`, or choose another name. */
  | 'target_exists'
  /** The target is not a regular file (a folder, a device, a symbolic link); only regular files are replaced. */
  | 'target_not_a_file'
  /** The target's disk has too little free space. */
  | 'disk_full'
  /** The caller aborted the work. */
  | 'aborted'
  /** The checkpoint was closed before it was read. */
  | 'closed';

/** The file, and if applicable the tensor, of an error. */
export interface CheckpointErrorPlace {
  readonly file: string;
  readonly tensor?: string;
}

/** Thrown when reading, writing or converting weights fails. */
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
