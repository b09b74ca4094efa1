import { type DataGet, toTimestamp } from '@gptj-cloud/protocol';
import { type StoredFile, toFileGet } from '../files/file.ts';

/** Input of runs: a file holding a pickle. */
export interface StoredData {
  readonly id: string;
  readonly createdAt: Date;
  readonly file: StoredFile;
}

/** Data as the API shows them. */
export function toDataGet(data: StoredData): DataGet {
  return { id: data.id, hex_file: toFileGet(data.file), created_at: toTimestamp(data.createdAt) };
}
