import type { TokenId } from '@gptj-cloud/model';
import type { CompatVersion, DecodingMode, GenerateConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { checkCombinations } from './check-combinations.ts';
import { ignoredParameters } from './ignored-parameters.ts';
import { knownParameters, UNSUPPORTED } from './known-parameters.ts';
import { nearestName } from './nearest-name.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import { readConstraints } from './read-constraints.ts';
import { readCustomProcessors } from './read-custom-processors.ts';
import { readMaxLength } from './read-lengths.ts';
import { readOutput } from './read-output.ts';
import { readShaping } from './read-shaping.ts';
import { readStopping } from './read-stopping.ts';
import { type Fields, refuse, show, toBoolean, toFields, toInteger, toList, toNumber } from './read-value.ts';
import { selectMode } from './select-mode.ts';

/** What `parseGenerateParameters` gives. */
export interface ParsedParameters {
  readonly config: GenerateConfig;
  /** A sentence for each parameter that was accepted without effect, naming it. */
  readonly warnings: string[];
}

/**
 * Check the parameters of one `generate` call under their wire names (snake_case, as transformers spells them).
 *
 * `compat: "4.25"` selects the names, defaults and checks of transformers 4.25; otherwise those of 5.18 hold. `null`
 * means absent. Integers pass for floats, 2.0 passes for an integer, booleans are not numbers. Parameters that the
 * selected mode does not use are accepted and named in `warnings`.
 *
 * Throws `ParameterError`: `unknown_parameter` lists every unknown name at once.
 */
export function parseGenerateParameters(input: unknown, context: ParameterContext): ParsedParameters {
  const given = toFields('parameters', input ?? {});
  const compat = readCompat(given);
  refuseUnknown(given, compat, context.otherNames);
  const fields = withGenerationConfig(given, compat);
  refuseAttentionMask(fields, context);
  refuseTokenHealing(fields);

  const selection = selectMode(fields, compat);
  const { mode, doSample, numReturnSequences } = selection;
  const numBeams = mode === 'contrastive' ? 1 : selection.numBeams;
  const eosTokenIds = readEos(fields, compat, context);
  const limit = readMaxLength(fields, compat, context);
  const shaping = readShaping(fields, {
    compat,
    context,
    sampling: doSample,
    contrastive: mode === 'contrastive',
    numBeams,
    eosTokenIds,
    maxLength: limit,
  });
  const config: GenerateConfig = {
    ...shaping,
    diversityPenalty: mode === 'group' ? shaping.diversityPenalty : 0,
    compat,
    mode,
    doSample,
    numBeams,
    numBeamGroups: mode === 'group' ? selection.numBeamGroups : 1,
    numReturnSequences,
    maxLength: mode === 'score' ? limit : Math.max(limit, context.promptLength + 1),
    ...readStopping(fields, context),
    eosTokenIds,
    padTokenId: readPad(fields, context, eosTokenIds),
    earlyStopping: readEarlyStopping(fields, compat),
    lengthPenalty: toNumber('length_penalty', fields.get('length_penalty') ?? 1),
    penaltyAlpha: selection.penaltyAlpha,
    constraints: mode === 'constrained' ? readConstraints(fields, context) : [],
    dolaLayers: readDolaLayers(fields, mode, context),
    ...readPromptLookup(fields, mode),
    customProcessors: readCustomProcessors(fields, { compat, context, eosTokenIds, maxLength: limit, numBeams }),
    filterBeforeTemperature: toBoolean('filter_before_temperature', fields.get('filter_before_temperature') ?? false),
    seed: fields.has('seed') ? toInteger('seed', fields.get('seed'), { min: 0, max: 2 ** 53 - 1 }) : null,
    deterministic: toBoolean('deterministic', fields.get('deterministic') ?? false),
    output: readOutput(fields),
  };
  checkCombinations(config, context);
  return { config, warnings: ignoredParameters(fields, config) };
}

function readCompat(fields: Fields): CompatVersion {
  const compat = fields.get('compat') ?? '5.18';
  if (compat !== '5.18' && compat !== '4.25') refuse('compat', '"5.18" or "4.25"', compat);
  return compat;
}

function refuseUnknown(fields: Fields, compat: CompatVersion, otherNames: readonly string[] = []): void {
  const known = knownParameters(compat);
  const names = [...fields.keys()].filter((name) => !known.has(name));
  const unsupported = names.filter((name) => UNSUPPORTED.has(name));
  const unknown = names.filter((name) => !UNSUPPORTED.has(name));
  if (unknown.length > 0) {
    const listed = unknown.slice(0, 20).map((name) => {
      const otherVersion: CompatVersion = compat === '5.18' ? '4.25' : '5.18';
      if (knownParameters(otherVersion).has(name)) return `${show(name)} (exists only in ${otherVersion})`;
      const nearest = nearestName(name, [...known, ...otherNames]);
      return nearest === null ? show(name) : `${show(name)} (did you mean ${nearest}?)`;
    });
    throw new ParameterError(
      'unknown_parameter',
      unknown,
      `unknown parameter${unknown.length > 1 ? 's' : ''} in transformers ${compat}: ${listed.join(', ')}`,
    );
  }
  if (unsupported.length > 0) {
    const reasons = unsupported.map((name) => `${name}: ${UNSUPPORTED.get(name)}`);
    throw new ParameterError('unsupported_parameter', unsupported, `not supported: ${reasons.join('; ')}`);
  }
}

/** `generation_config` is an inline object with the same names; what the call itself says wins. */
function withGenerationConfig(given: Fields, compat: CompatVersion): Fields {
  if (!given.has('generation_config')) return given;
  const inner = toFields('generation_config', given.get('generation_config'));
  if (inner.has('generation_config')) refuse('generation_config', 'no further generation_config inside', '{…}');
  refuseUnknown(inner, compat);
  if (inner.has('compat')) refuse('compat', 'to stand beside generation_config', 'it inside');
  return new Map([...inner, ...given]);
}

/** Prompts come one at a time and unpadded: a mask can only say so. */
function refuseAttentionMask(fields: Fields, context: ParameterContext): void {
  for (const name of ['attention_mask', 'negative_prompt_attention_mask']) {
    const value = fields.get(name);
    if (value === undefined) continue;
    const list = toList(name, value, 'a list of ones', context.contextLength);
    const ones =
      list.length === 1 && Array.isArray(list[0]) ? toList(name, list[0], 'ones', context.contextLength) : list;
    if (!ones.every((one) => one === 1)) refuse(name, 'ones only (prompts are not padded here)', value);
  }
}

function refuseTokenHealing(fields: Fields): void {
  const name = 'token_healing';
  if (toBoolean(name, fields.get(name) ?? false)) {
    throw new ParameterError('unsupported_parameter', [name], `${name}: expected false (not offered), got true`);
  }
}

function readEos(fields: Fields, compat: CompatVersion, context: ParameterContext): readonly TokenId[] {
  const name = 'eos_token_id';
  const value = fields.get(name);
  const oneId = (id: unknown) => toInteger(name, id, { min: -1, max: context.vocabSize - 1 });
  if (value === undefined) {
    if (context.eosTokenId === null) return [];
    return typeof context.eosTokenId === 'number' ? [context.eosTokenId] : context.eosTokenId;
  }
  if (!Array.isArray(value)) return [oneId(value)];
  if (compat === '4.25') refuse(name, 'one id in transformers 4.25', value);
  const list = toList(name, value, 'an id or a list of ids', LIMITS.wordLength);
  if (list.length === 0) refuse(name, 'at least one id', value);
  return list.map(oneId);
}

function readPad(fields: Fields, context: ParameterContext, eosTokenIds: readonly TokenId[]): TokenId | null {
  const value = fields.get('pad_token_id');
  if (value !== undefined) return toInteger('pad_token_id', value, { min: -1, max: context.vocabSize - 1 });
  return context.padTokenId ?? eosTokenIds[0] ?? null;
}

function readEarlyStopping(fields: Fields, compat: CompatVersion): boolean | 'never' {
  const value = fields.get('early_stopping') ?? false;
  if (compat === '4.25') {
    if (typeof value === 'object') refuse('early_stopping', 'true or false', value);
    return Boolean(value);
  }
  if (typeof value !== 'boolean' && value !== 'never') refuse('early_stopping', 'true, false or "never"', value);
  return value;
}

/** "low": every other layer of the lower half, "high": of the upper half, or a list of layers; 0 = embedding output. */
function readDolaLayers(fields: Fields, mode: DecodingMode, context: ParameterContext): readonly number[] {
  const name = 'dola_layers';
  const value = fields.get(name);
  if (value === undefined) return [];
  const everySecond = (from: number, to: number) =>
    Array.from({ length: Math.max(0, Math.ceil((to - from) / 2)) }, (_, index) => from + 2 * index);
  const layerCount = context.earlyExitLayers ?? 0;
  const half = Math.floor(layerCount / 2);
  let layers: readonly number[];
  if (value === 'low') layers = half === 0 ? [0] : everySecond(0, half);
  else if (value === 'high') layers = everySecond(half, layerCount);
  else if (Array.isArray(value) && value.length > 0) {
    const list = toList(name, value, '"low", "high" or a list of layers', LIMITS.rows);
    layers = list.map((layer) => toInteger(name, layer, { min: 0 })).filter((layer) => layer < layerCount);
  } else refuse(name, '"low", "high" or a list of layers', value);
  if (mode !== 'dola') return [];
  if (context.earlyExitLayers === undefined) {
    throw new ParameterError(
      'unsupported_parameter',
      [name],
      `${name}: this engine gives no logits of inner layers; leave it out`,
    );
  }
  if (layers.length === 0) refuse(name, `a layer below ${layerCount}`, value);
  return [...new Set(layers)];
}

function readPromptLookup(
  fields: Fields,
  mode: DecodingMode,
): Pick<GenerateConfig, 'promptLookupNumTokens' | 'maxMatchingNgramSize'> {
  const name = 'prompt_lookup_num_tokens';
  const tokens = toInteger(name, fields.get(name) ?? 0);
  if (fields.has(name) && tokens <= 0) refuse(name, 'an integer of at least 1', tokens);
  const maxMatchingNgramSize = toInteger('max_matching_ngram_size', fields.get('max_matching_ngram_size') ?? 2);
  if (maxMatchingNgramSize <= 0) refuse('max_matching_ngram_size', 'an integer of at least 1', maxMatchingNgramSize);
  const acts = mode === 'greedy' || mode === 'sample';
  return { promptLookupNumTokens: acts ? Math.min(tokens, LIMITS.draftTokens) : 0, maxMatchingNgramSize };
}
