import { type ParsedParameters, parseGenerateParameters } from '@gptj-cloud/decoding';
import { type EngineInfo, parameterContext } from '@gptj-cloud/engine';
import type { JsonValue } from '@gptj-cloud/pickle';
import type { Tokenizer } from '@gptj-cloud/tokenizer';

export interface ParseParametersOptions {
  /** The route's defaults, which values in the request override. Default: none. */
  readonly defaults?: Readonly<Record<string, JsonValue>>;
  /** Names that the route parses: included in the suggestions for an unknown name. Default: none. */
  readonly otherNames?: readonly string[];
}

/** Parameters of `generate`, checked for a prompt of that length. Throws `ParameterError`, or `TokenizerError` for text. */
export type ParseParameters = (
  fields: Readonly<Record<string, JsonValue>>,
  promptLength: number,
  options?: ParseParametersOptions,
) => ParsedParameters;

export function createParameterParser(info: EngineInfo, tokenizer: Pick<Tokenizer, 'encode'>): ParseParameters {
  // A word longer than the context is refused anyway: stop encoding there.
  const limit = info.config.contextLength;
  const context = (promptLength: number) =>
    parameterContext(info, promptLength, (text, options) => tokenizer.encode(text, { limit, ...options }));
  return (fields, promptLength, options = {}) =>
    parseGenerateParameters(fields, { ...context(promptLength), ...options });
}
