import { type DataGet, toTimestamp } from '@gptj-cloud/protocol';
import { type StoredFile, toFileGet } from '../files/file.ts';

/** Input of runs: a file with a pickle. */
export interface StoredData {
  readonly id: string;
  readonly createdAt: Date;
  readonly file: StoredFile;
}

/** The reply for data. */
export function toDataGet(data: StoredData): DataGet {
  return { id: data.id, hex_file: toFileGet(data.file), created_at: toTimestamp(data.createdAt) };
}
