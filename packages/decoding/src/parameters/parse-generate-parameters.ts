import type { CompatVersion, GenerateConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { checkCombinations } from './check-combinations.ts';
import { givenParameters, withDefaults, withDefaultsForPrompt } from './given-parameters.ts';
import { nearestName } from './nearest-name.ts';
import { LIMITS, type ModelContext, type ParameterContext } from './parameter-context.ts';
import type { ParameterRecord, ParameterSituation } from './parameter-record.ts';
import { indexParameters, PARAMETERS } from './parameter-table.ts';
import { parameterWarnings } from './parameter-warnings.ts';
import { refuseSuppressedForcedTokens } from './read-forced-tokens.ts';
import { readMaxLength } from './read-lengths.ts';
import { readEos } from './read-special-tokens.ts';
import { type Fields, refuse, toBoolean, toFields } from './read-value.ts';
import { selectMode } from './select-mode.ts';
import { showValue } from './show-value.ts';

/** The result of `parseGenerateParameters`. */
export interface ParsedParameters {
  readonly config: GenerateConfig;
  /** A sentence for each parameter that was accepted without effect, naming it. */
  readonly warnings: readonly string[];
}

/**
 * Check the parameters of one `generate` call under their wire names (snake_case, as transformers spells them).
 *
 * `compat: "4.25"` selects the names, defaults and checks of transformers 4.25; otherwise those of 5.18 hold. `null`
 * means absent. Integers are accepted as floats and 2.0 as an integer; booleans are not numbers. Parameters that the
 * selected mode does not use are accepted and named in `warnings`.
 *
 * `table`: the known parameters. Throws `ParameterError`: `unknown_parameter` lists every unknown name at once.
 */
export function parseGenerateParameters(
  input: unknown,
  context: ParameterContext,
  table: readonly ParameterRecord[] = PARAMETERS,
): ParsedParameters {
  return readGenerateParameters(input, context, table)(context.promptLength);
}

/**
 * Parameters that were read once, for prompts of any length: the same object for each prompt of a length. Throws
 * `ParameterError` for a length that they do not fit.
 */
export type ParametersForPrompt = (promptLength: number) => ParsedParameters;

/**
 * `parseGenerateParameters` for the prompts of one request: everything that does not depend on the length of a prompt is
 * read once. The configurations of several prompts share it.
 */
export function readGenerateParameters(
  input: unknown,
  context: ModelContext,
  table: readonly ParameterRecord[] = PARAMETERS,
): ParametersForPrompt {
  const given = givenParameters(input);
  const compat = readCompat(toFields('parameters', input ?? {}));
  refuseUnknown(toFields('parameters', input ?? {}), compat, table, context.otherNames);
  refuseUnknown(given, compat, table, context.otherNames);
  const fields = withDefaults(given, context);
  const { readers, promptReaders } = indexParameters(table);
  const situation = situationOf(fields, compat, context);
  const shared: Partial<GenerateConfig> = { compat, mode: situation.mode };
  for (const read of readers) Object.assign(shared, read(fields, situation));
  const suppressed = new Set(shared.suppressTokens);
  const forLength = (promptLength: number): ParsedParameters => {
    const promptContext = { ...context, promptLength };
    const promptFields = withDefaultsForPrompt(fields, given, promptContext);
    const maxLength = readMaxLength(promptFields, compat, promptContext);
    const promptSituation = { ...situation, context: { ...situation.context, promptLength }, maxLength };
    const read = { ...shared };
    for (const readForPrompt of promptReaders)
      Object.assign(read, readForPrompt(promptFields, promptSituation, shared));
    // Complete, since every field of GenerateConfig belongs to a record: parameter-table.test.ts checks it.
    const config = read as GenerateConfig;
    if (compat === '5.18') refuseSuppressedForcedTokens(config, suppressed);
    checkCombinations(config, promptContext);
    return { config, warnings: parameterWarnings(given, config, table) };
  };
  const known = new Map<number, ParsedParameters>();
  return (promptLength) => {
    const parsed = known.get(promptLength) ?? forLength(promptLength);
    known.set(promptLength, parsed);
    return parsed;
  };
}

function situationOf(fields: Fields, compat: CompatVersion, context: ModelContext): ParameterSituation {
  const selection = selectMode(fields, compat);
  const { mode, doSample, numBeamGroups, numReturnSequences } = selection;
  return {
    compat,
    context: withTokenizerOptions(context, fields),
    mode,
    sampling: doSample,
    contrastive: mode === 'contrastive',
    numBeams: mode === 'contrastive' ? 1 : selection.numBeams,
    numBeamGroups,
    numReturnSequences,
    eosTokenIds: readEos(fields, compat, context),
  };
}

/** The context with an encoder that applies `split_special_tokens`. */
function withTokenizerOptions(context: ModelContext, fields: Fields): ModelContext {
  const { encodeText } = context;
  if (encodeText === undefined) return context;
  const name = 'split_special_tokens';
  const splitSpecialTokens = toBoolean(name, fields.get(name) ?? false);
  return { ...context, encodeText: (text) => encodeText(text, { splitSpecialTokens }) };
}

function readCompat(fields: Fields): CompatVersion {
  const compat = fields.get('compat') ?? '5.18';
  if (compat !== '5.18' && compat !== '4.25') refuse('compat', '"5.18" or "4.25"', compat);
  return compat;
}

/** Names that an error compares with the known ones: each costs as much as reading a small request. */
const MAX_SUGGESTIONS = 8;
const MAX_SHOWN_NAME = 100;

function refuseUnknown(
  fields: Fields,
  compat: CompatVersion,
  table: readonly ParameterRecord[],
  otherNames: readonly string[] = [],
): void {
  const { accepted, unsupported: reasons } = indexParameters(table);
  const names = [...fields.keys()].filter((name) => !accepted[compat].has(name));
  if (names.length === 0) return;
  const unsupported = names.filter((name) => reasons.has(name));
  const unknown = names.filter((name) => !reasons.has(name));
  if (unknown.length > 0) {
    const otherVersion: CompatVersion = compat === '5.18' ? '4.25' : '5.18';
    const shown = unknown.slice(0, LIMITS.shownNames).map((name) => name.slice(0, MAX_SHOWN_NAME));
    const listed = shown.map((name, index) => {
      if (accepted[otherVersion].has(name)) return `${showValue(name)} (exists only in ${otherVersion})`;
      const nearest = index < MAX_SUGGESTIONS ? nearestName(name, [...accepted[compat], ...otherNames]) : null;
      return nearest === null ? showValue(name) : `${showValue(name)} (did you mean ${nearest}?)`;
    });
    const more = unknown.length > shown.length ? ` and ${unknown.length - shown.length} more` : '';
    throw new ParameterError(
      'unknown_parameter',
      shown,
      `unknown parameter${unknown.length > 1 ? 's' : ''} in transformers ${compat}: ${listed.join(', ')}${more}`,
    );
  }
  if (unsupported.length > 0) {
    const listed = unsupported.map((name) => `${name}: ${reasons.get(name)}`);
    throw new ParameterError('unsupported_parameter', unsupported, `not supported: ${listed.join('; ')}`);
  }
}
