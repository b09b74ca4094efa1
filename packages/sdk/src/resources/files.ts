/** Files of a project, and the data of runs. `deleteFile` and `deleteData` of the client delete them. */
import type { Endpoint } from '../connection.ts';
import { read, send } from '../exchange.ts';
import { dateAt, nullable, numberAt, objectAt, record, stringAt } from '../fields.ts';
import type { CallOptions } from '../options.ts';
import { parseFileBytes } from '../run.ts';

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  /** Number of hexadecimal digits: twice the bytes. */
  readonly fileSize: number;
}

/** Input of runs: a file with a date. */
export interface RunData {
  readonly id: string;
  readonly name: string | null;
  readonly createdAt: Date;
  readonly hexFile: StoredFile;
}

export interface Files {
  /** Never retried. */
  upload(name: string, bytes: Uint8Array<ArrayBuffer>, options?: CallOptions): Promise<StoredFile>;
  get(id: string, options?: CallOptions): Promise<StoredFile>;
  bytes(id: string, options?: CallOptions): Promise<Uint8Array>;
}

export interface DataSets {
  /** `bytes` are a pickle of plain values; one that would run code is refused. Never retried. */
  create(name: string, bytes: Uint8Array<ArrayBuffer>, options?: CallOptions): Promise<RunData>;
  get(id: string, options?: CallOptions): Promise<RunData>;
  bytes(id: string, options?: CallOptions): Promise<Uint8Array>;
}

const parseFile = record<StoredFile>({ id: stringAt, name: stringAt, fileSize: numberAt });

const parseData = record<RunData>({
  id: stringAt,
  name: nullable(stringAt),
  createdAt: dateAt,
  hexFile: parseFile,
});

export function createFiles(endpoint: Endpoint): Files {
  const at = (id: string): string => `/v2/files/${encodeURIComponent(id)}`;
  return {
    upload: async (name, bytes, options) => {
      const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return await send(endpoint, { path: '/v2/files', body: formOf('file', name, digits) }, parseFile, options);
    },
    get: async (id, options) => await read(endpoint, at(id), parseFile, options),
    bytes: async (id, options) => await read(endpoint, `${at(id)}?return_data=true`, parseFileBytes, options),
  };
}

export function createDataSets(endpoint: Endpoint): DataSets {
  const at = (id: string): string => `/v2/data/${encodeURIComponent(id)}`;
  return {
    create: async (name, bytes, options) =>
      await send(endpoint, { path: '/v2/data', body: formOf('data', name, bytes) }, parseData, options),
    get: async (id, options) => await read(endpoint, at(id), parseData, options),
    bytes: async (id, options) => {
      const parse = (reply: unknown): Uint8Array => parseFileBytes(objectAt(reply, 'data').hex_file);
      return await read(endpoint, `${at(id)}?return_data=true`, parse, options);
    },
  };
}

function formOf(part: string, name: string, content: string | Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData();
  form.set(part, new Blob([content]), name);
  return form;
}
