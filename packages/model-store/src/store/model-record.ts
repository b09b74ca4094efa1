/** What the store knows of a model: a JSON file beside the model file. */
import { ModelStoreError } from '../model-store-error.ts';

/** Where a model was made from. */
export interface ModelSource {
  readonly kind: 'hub' | 'url' | 'folder' | 'file';
  /** `EleutherAI/gpt-j-6b`, an address or a path. */
  readonly from: string;
  /** Branch, tag or commit that was asked for; null where there is none. */
  readonly revision: string | null;
  readonly commit: string | null;
}

export interface ModelRecord {
  readonly name: string;
  /** `q8_0`, `f16`, …; `unknown` for a model file that does not state it. */
  readonly type: string;
  /** Name of the model file, in the folder of the record. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Of the model file. */
  readonly sha256: string;
  readonly source: ModelSource;
  /** ISO 8601. */
  readonly storedAt: string;
}

/** Names of models in the store: they are parts of file names, and values of GPTJ_MODEL. */
const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;
const MAX_NAME_LENGTH = 80;

/** The word that names the model that ships with the software, where a setting takes the name of a model. */
export const EMBEDDED_MODEL_NAME = 'embedded';

export function isModelName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && MODEL_NAME.test(text) && !text.endsWith('.gguf');
}

/** A name made from that of a repository, a folder or a file. */
export function toModelName(text: string): string {
  const plain = text
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, (gap) => (/^[._-]$/.test(gap) ? gap : '-'))
    .replace(/^[._-]|[._-]$/g, '')
    .slice(0, MAX_NAME_LENGTH);
  return isModelName(plain) ? plain : 'model';
}

/** Throws `io` for a file that is no record. */
export function parseRecord(path: string, text: string): ModelRecord {
  const value = parseJson(text);
  const get = (name: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  const source = get('source');
  const of = (name: string): unknown =>
    typeof source === 'object' && source !== null ? Reflect.get(source, name) : undefined;
  const string = (read: unknown): string => {
    if (typeof read === 'string') return read;
    throw new ModelStoreError(
      'io',
      `${path}: expected the record of a model, got another file; delete it and pull the model again`,
    );
  };
  const kind = of('kind');
  const file = string(get('file'));
  const sizeBytes = get('sizeBytes');
  if (/[\\/]/.test(file)) string(null);
  return {
    name: string(get('name')),
    type: string(get('type')),
    file,
    sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : 0,
    sha256: string(get('sha256')),
    source: {
      kind: kind === 'hub' || kind === 'url' || kind === 'folder' ? kind : 'file',
      from: string(of('from')),
      revision: optional(of('revision')),
      commit: optional(of('commit')),
    },
    storedAt: string(get('storedAt')),
  };
}

function optional(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
