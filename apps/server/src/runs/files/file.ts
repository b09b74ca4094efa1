import { randomInt } from 'node:crypto';
import { type FileGet, newId } from '@gptj-cloud/protocol';

/** A stored file. */
export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Null when they were not requested and are larger than `INLINE_BYTES`. */
  readonly bytes: Uint8Array | null;
}

/** A file to store. */
export interface NewFile extends StoredFile {
  readonly bytes: Uint8Array;
}

/** Replies include the bytes of files up to this size. */
export const INLINE_BYTES = 10_000;
const MAX_NAME = 255;

/** The file, without its bytes when they are larger than `INLINE_BYTES`. */
export function withSmallBytes(file: StoredFile): StoredFile {
  return file.sizeBytes <= INLINE_BYTES ? file : { ...file, bytes: null };
}

/** A file with a new id and path. */
export function newFile(name: string, bytes: Uint8Array): NewFile {
  return { id: newId('file'), name: tidyName(name), path: newPath(), sizeBytes: bytes.length, bytes };
}

/** The reply for a file. */
export function toFileGet(file: StoredFile): FileGet {
  return {
    id: file.id,
    name: file.name,
    path: file.path,
    data: file.bytes === null ? null : Buffer.from(file.bytes).toString('hex'),
    file_size: file.sizeBytes * 2,
    file_format: 'hex',
  };
}

/** Control characters are replaced: PostgreSQL text cannot hold U+0000, and no name needs the others. */
function tidyName(name: string): string {
  const tidy = Array.from(name.slice(0, MAX_NAME), (character) => (character < ' ' ? '_' : character)).join('');
  return tidy === '' ? 'file' : tidy;
}

/** `object_` and 64 lower-case letters or digits, as the original named its objects. */
function newPath(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return `object_${Array.from({ length: 64 }, () => alphabet.charAt(randomInt(alphabet.length))).join('')}`;
}
