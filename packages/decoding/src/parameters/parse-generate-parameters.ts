import type { CompatVersion, GenerateConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { checkCombinations } from './check-combinations.ts';
import { givenParameters, withDefaults } from './given-parameters.ts';
import { nearestName } from './nearest-name.ts';
import type { ParameterContext } from './parameter-context.ts';
import type { ParameterRecord, ParameterSituation } from './parameter-record.ts';
import { indexParameters, PARAMETERS } from './parameter-table.ts';
import { parameterWarnings } from './parameter-warnings.ts';
import { refuseSuppressedForcedTokens } from './read-forced-tokens.ts';
import { readMaxLength } from './read-lengths.ts';
import { readEos } from './read-special-tokens.ts';
import { type Fields, refuse, show, toBoolean, toFields } from './read-value.ts';
import { selectMode } from './select-mode.ts';

/** The result of `parseGenerateParameters`. */
export interface ParsedParameters {
  readonly config: GenerateConfig;
  /** A sentence for each parameter that was accepted without effect, naming it. */
  readonly warnings: string[];
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
  const outer = toFields('parameters', input ?? {});
  const compat = readCompat(outer);
  refuseUnknown(outer, compat, table, context.otherNames);
  const given = givenParameters(input);
  refuseUnknown(given, compat, table, context.otherNames);
  const fields = withDefaults(given, context);
  const situation = situationOf(fields, compat, context);
  const config = readConfig(fields, situation, table);
  if (compat === '5.18') refuseSuppressedForcedTokens(config);
  checkCombinations(config, context);
  return { config, warnings: parameterWarnings(given, config, table) };
}

function situationOf(fields: Fields, compat: CompatVersion, context: ParameterContext): ParameterSituation {
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
    maxLength: readMaxLength(fields, compat, context),
  };
}

/** The context with an encoder that applies `split_special_tokens`. */
function withTokenizerOptions(context: ParameterContext, fields: Fields): ParameterContext {
  const { encodeText } = context;
  if (encodeText === undefined) return context;
  const name = 'split_special_tokens';
  const splitSpecialTokens = toBoolean(name, fields.get(name) ?? false);
  return { ...context, encodeText: (text) => encodeText(text, { splitSpecialTokens }) };
}

function readConfig(fields: Fields, situation: ParameterSituation, table: readonly ParameterRecord[]): GenerateConfig {
  const { compat, mode } = situation;
  const config = { compat, mode };
  for (const read of indexParameters(table).readers) Object.assign(config, read(fields, situation));
  // Complete, since every field of GenerateConfig belongs to a record: parameter-table.test.ts checks it.
  return config as GenerateConfig;
}

function readCompat(fields: Fields): CompatVersion {
  const compat = fields.get('compat') ?? '5.18';
  if (compat !== '5.18' && compat !== '4.25') refuse('compat', '"5.18" or "4.25"', compat);
  return compat;
}

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
    const listed = unknown.slice(0, 20).map((name) => {
      if (accepted[otherVersion].has(name)) return `${show(name)} (exists only in ${otherVersion})`;
      const nearest = nearestName(name, [...accepted[compat], ...otherNames]);
      return nearest === null ? show(name) : `${show(name)} (did you mean ${nearest}?)`;
    });
    throw new ParameterError(
      'unknown_parameter',
      unknown,
      `unknown parameter${unknown.length > 1 ? 's' : ''} in transformers ${compat}: ${listed.join(', ')}`,
    );
  }
  if (unsupported.length > 0) {
    const listed = unsupported.map((name) => `${name}: ${reasons.get(name)}`);
    throw new ParameterError('unsupported_parameter', unsupported, `not supported: ${listed.join('; ')}`);
  }
}
