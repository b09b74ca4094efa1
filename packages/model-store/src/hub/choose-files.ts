import { ModelStoreError } from '../model-store-error.ts';

/** The files of a repository that a conversion reads. */
export interface ChosenFiles {
  /** Config, tokenizer and index: small, and needed to plan the rest. */
  readonly small: readonly string[];
  /** Weights in one file; empty where the index names them. */
  readonly weights: readonly string[];
  /** The file that lists the shards, one of `small`; null: the weights are one file. */
  readonly index: string | null;
}

/** In the order of preference: safetensors need no pickle. */
const WEIGHTS = [
  { single: 'model.safetensors', index: 'model.safetensors.index.json' },
  // Shards need less disk than one file of the same tensors.
  { single: 'pytorch_model.bin', index: 'pytorch_model.bin.index.json', prefersIndex: true },
] as const;

const OPTIONAL = ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'];
const MAX_SHARDS = 1024;

/** A name that cannot leave its folder. */
const PLAIN_NAME = /^[A-Za-z0-9_][\w.-]{0,200}$/;

/** Choose by name what converts; never the weights of other frameworks. Throws `not_convertible`. */
export function chooseFiles(repository: string, names: readonly string[]): ChosenFiles {
  const present = new Set(names);
  const missing = (what: string): ModelStoreError => {
    const shown = names.filter((name) => PLAIN_NAME.test(name)).slice(0, 20);
    return new ModelStoreError(
      'not_convertible',
      `${repository}: expected ${what}, found ${shown.length === 0 ? 'no files' : shown.join(', ')}`,
    );
  };
  if (!present.has('config.json')) throw missing('config.json');
  const tokenizer = present.has('tokenizer.json')
    ? ['tokenizer.json']
    : present.has('vocab.json') && present.has('merges.txt')
      ? ['vocab.json', 'merges.txt']
      : null;
  if (tokenizer === null) throw missing('tokenizer.json, or vocab.json and merges.txt');
  const small = ['config.json', ...tokenizer, ...OPTIONAL.filter((name) => present.has(name))];
  for (const { single, index, ...rest } of WEIGHTS) {
    const [hasSingle, hasIndex] = [present.has(single), present.has(index)];
    if (hasIndex && (!hasSingle || 'prefersIndex' in rest)) return { small: [...small, index], weights: [], index };
    if (hasSingle) return { small, weights: [single], index: null };
  }
  throw missing('weights as model.safetensors or pytorch_model.bin, in one file or with their index');
}

/** The shards that an index names, each once. Throws `not_convertible`. */
export function shardsOf(
  repository: string,
  indexName: string,
  index: unknown,
  names: readonly string[],
): readonly string[] {
  const map = typeof index === 'object' && index !== null ? Reflect.get(index, 'weight_map') : undefined;
  const refuse = (expected: string, got: string): ModelStoreError =>
    new ModelStoreError('not_convertible', `${repository}: ${indexName}: expected ${expected}, got ${got}`);
  if (typeof map !== 'object' || map === null)
    throw refuse('weight_map to be an object from tensor to file', typeof map);
  const present = new Set(names);
  const shards = new Set<string>();
  for (const file of Object.values(map)) {
    if (typeof file !== 'string' || !PLAIN_NAME.test(file)) {
      throw refuse('the plain name of a file', JSON.stringify(file)?.slice(0, 100) ?? 'nothing');
    }
    if (!present.has(file)) throw refuse('the name of a file of the repository', JSON.stringify(file));
    shards.add(file);
  }
  if (shards.size === 0 || shards.size > MAX_SHARDS) throw refuse(`1 to ${MAX_SHARDS} files`, String(shards.size));
  return [...shards].sort();
}
