/** What the store knows of an adapter: a JSON file beside the adapter's file. */
import { ModelStoreError } from '../model-store-error.ts';

export interface AdapterRecord {
  readonly name: string;
  /** Name of the adapter's file, in the folder of the record. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Of the adapter's file. */
  readonly sha256: string;
  /** Largest rank of a matrix. */
  readonly rank: number;
  /** `q_proj`, `v_proj`, … */
  readonly targets: readonly string[];
  /** Sizes of the models that it fits, as `fitOf` writes them. */
  readonly fits: string;
  /** The model that it was trained on, as its author says; null: not said. */
  readonly baseModel: string | null;
  /** The folder that it was added from. */
  readonly source: string;
  /** ISO 8601. */
  readonly storedAt: string;
}

/** Throws `io` for a file that is no record. */
export function parseAdapterRecord(path: string, text: string): AdapterRecord {
  const value = parseJson(text);
  const refuse = (): never => {
    throw new ModelStoreError(
      'io',
      `${path}: expected the record of an adapter, got another file; delete it and add the adapter again`,
    );
  };
  const get = (name: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  const string = (name: string): string => {
    const read = get(name);
    return typeof read === 'string' ? read : refuse();
  };
  const number = (name: string): number => {
    const read = get(name);
    return typeof read === 'number' ? read : refuse();
  };
  const file = string('file');
  if (/[\\/]/.test(file)) refuse();
  const targets = get('targets');
  const baseModel = get('baseModel');
  return {
    name: string('name'),
    file,
    sizeBytes: number('sizeBytes'),
    sha256: string('sha256'),
    rank: number('rank'),
    targets: Array.isArray(targets) ? targets.filter((each): each is string => typeof each === 'string') : refuse(),
    fits: string('fits'),
    baseModel: typeof baseModel === 'string' ? baseModel : null,
    source: string('source'),
    storedAt: string('storedAt'),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
