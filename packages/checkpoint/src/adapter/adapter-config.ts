/** `adapter_config.json` as PEFT 0.21 writes it: which matrices a LoRA adapter changes, and how strongly. */
import { MAX_ADAPTER_RANK } from '@gptj-cloud/model';
import { readSmallJson } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';

export interface AdapterConfig {
  /** The model that it was trained on, as it says; null where it does not. */
  readonly baseModel: string | null;
  /** It adapts a matrix of every layer of its model where it adapts one. */
  readonly isOfAllLayers: boolean;
  /** The rank of a module, `transformer.h.0.attn.q_proj`. */
  rank(module: string): number;
  /** The factor of up (down x) of a module: alpha / rank, or alpha / √rank with `use_rslora`. */
  scaling(module: string): number;
}

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_PATTERNS = 10_000;
const MAX_ALPHA = 1e6;

/** A field whose value changes what the adapter computes in a way that is not supported. */
interface Refused {
  readonly field: string;
  readonly isSet: (value: unknown) => boolean;
  readonly why: string;
}

const isTrue = (value: unknown): boolean => value === true;
const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== false;
const isFilled = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : isGiven(value) && Object.keys(Object(value)).length > 0;
/** Initialisations that change the weights of the base model. */
const CHANGES_BASE = /^(?:pissa|olora|corda|loftq|lora_ga)/i;

const REFUSED: readonly Refused[] = [
  { field: 'use_dora', isSet: isTrue, why: 'DoRA changes the norms of the weights, which no low-rank addition does' },
  { field: 'lora_bias', isSet: isTrue, why: 'it adds biases to matrices that have none in GPT-J; train without it' },
  { field: 'bias', isSet: (value) => isGiven(value) && value !== 'none', why: 'expected "none": biases are not read' },
  {
    field: 'modules_to_save',
    isSet: isFilled,
    why: 'it replaces whole modules; merge it into the model and convert that',
  },
  { field: 'trainable_token_indices', isSet: isFilled, why: 'it changes the embedding; merge it into the model' },
  { field: 'target_parameters', isSet: isFilled, why: 'GPT-J has no such parameters' },
  { field: 'layer_replication', isSet: isFilled, why: 'it adds layers to the model; merge it into the model' },
  {
    field: 'alora_invocation_tokens',
    isSet: isFilled,
    why: 'it acts from a token on; adapters here act on all tokens',
  },
  { field: 'use_qalora', isSet: isTrue, why: 'QA-LoRA pools the inputs; merge it into the model' },
  { field: 'use_bdlora', isSet: isGiven, why: 'block-diagonal adapters are not supported; merge it into the model' },
  {
    field: 'kasa_config',
    isSet: isGiven,
    why: 'KaSA changes the base model and scales each rank; merge it into the model',
  },
  { field: 'monteclora_config', isSet: isGiven, why: 'MonteCLoRA samples its matrices; merge it into the model' },
  { field: 'arrow_config', isSet: isGiven, why: 'Arrow chooses adapters for each token, which is not supported' },
  {
    field: 'init_lora_weights',
    isSet: (value) => typeof value === 'string' && CHANGES_BASE.test(value),
    why: 'it fits a base model that was changed for it; save it with path_initial_model_for_weight_conversion',
  },
];

/** Throws `not_found`, `too_large`, `malformed`, `unsupported`, `invalid_config`. */
export async function readAdapterConfig(path: string): Promise<AdapterConfig> {
  const json = await readSmallJson(path, MAX_CONFIG_BYTES);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CheckpointError('malformed', { file: path }, 'expected a JSON object');
  }
  const field = (name: string): unknown => (Object.hasOwn(json, name) ? Reflect.get(json, name) : undefined);
  const type = field('peft_type');
  if (type !== 'LORA') {
    throw new CheckpointError('unsupported', { file: path }, `peft_type: expected "LORA", got ${shown(type)}`);
  }
  for (const { field: name, isSet, why } of REFUSED) {
    const value = field(name);
    if (isSet(value)) throw new CheckpointError('unsupported', { file: path }, `${name} ${shown(value)}: ${why}`);
  }
  const rankOf = (name: string, value: unknown): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_ADAPTER_RANK) return value;
    throw invalid(path, `${name}: expected an integer from 1 to ${MAX_ADAPTER_RANK}, got ${shown(value)}`);
  };
  const alphaOf = (name: string, value: unknown): number => {
    if (typeof value === 'number' && Math.abs(value) <= MAX_ALPHA) return value;
    throw invalid(path, `${name}: expected a number up to ${MAX_ALPHA}, got ${shown(value)}`);
  };
  const ranks = readPattern(path, 'rank_pattern', field('rank_pattern'), rankOf);
  const alphas = readPattern(path, 'alpha_pattern', field('alpha_pattern'), alphaOf);
  const plainRank = rankOf('r', field('r') ?? 8);
  const plainAlpha = alphaOf('lora_alpha', field('lora_alpha') ?? 8);
  const isStabilised = field('use_rslora') === true;
  const base = field('base_model_name_or_path');
  const rank = (module: string): number => ranks(module) ?? plainRank;
  return {
    isOfAllLayers: adaptsAllLayers(field),
    baseModel: typeof base === 'string' && base !== '' ? base.slice(0, 200) : null,
    rank,
    scaling: (module) => (alphas(module) ?? plainAlpha) / (isStabilised ? Math.sqrt(rank(module)) : rank(module)),
  };
}

/** False where the settings choose layers, or modules by a regular expression or by names that have a layer. */
function adaptsAllLayers(field: (name: string) => unknown): boolean {
  const targets = field('target_modules');
  const areSuffixes =
    Array.isArray(targets) && targets.every((each) => typeof each === 'string' && !/[.\d]/.test(each));
  return areSuffixes && !isGiven(field('layers_to_transform')) && !isFilled(field('exclude_modules'));
}

/**
 * PEFT matches a key as a regular expression against the end of a module's name, after a dot. Keys are module names in
 * practice, and only those are accepted here: a foreign expression could take forever.
 */
function readPattern(
  path: string,
  name: string,
  value: unknown,
  read: (name: string, value: unknown) => number,
): (module: string) => number | undefined {
  if (value === undefined || value === null) return () => undefined;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw invalid(path, `${name}: expected an object from module to number, got ${shown(value)}`);
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_PATTERNS) {
    throw invalid(path, `${name}: expected at most ${MAX_PATTERNS} modules, got ${entries.length}`);
  }
  const patterns = entries.map(([key, given]) => {
    const isWhole = key.startsWith('^');
    const module = isWhole ? key.slice(1) : key;
    if (!/^[A-Za-z0-9_.]{1,200}$/.test(module)) {
      throw invalid(path, `${name}: expected names of modules, got ${shown(key)}, a regular expression`);
    }
    return { module, isWhole, value: read(`${name}.${key}`, given) };
  });
  // The first that matches counts, as in PEFT.
  return (module) =>
    patterns.find((one) => module === one.module || (!one.isWhole && module.endsWith(`.${one.module}`)))?.value;
}

function invalid(file: string, message: string): CheckpointError {
  return new CheckpointError('invalid_config', { file }, message);
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value)?.slice(0, 100) ?? 'nothing');
}
