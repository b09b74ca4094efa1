import { type GenerateConfig, ParameterError, type ParsedParameters } from '@gptj-cloud/decoding';
import type { EngineInfo } from '@gptj-cloud/engine';
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';
import { type Tokenizer, TokenizerError } from '@gptj-cloud/tokenizer';
import { refuseOption } from './field-reader.ts';

/** The served model as the compatible APIs see it. */
export interface TextModel {
  readonly info: EngineInfo;
  readonly tokenizer: Tokenizer;
  /** `generate`'s parameters, checked for a prompt of that length. Throws `ParameterError`. */
  readonly parseParameters: (fields: Readonly<Record<string, JsonValue>>, promptLength: number) => ParsedParameters;
}

/** Names under which whatever is served here answers, beside its own: what programs of GPT-J's time ask for. */
const ALIASES: readonly string[] = ['EleutherAI/gpt-j-6b', 'gpt-j-6b'];

/** Names a request may use; the first is the model's own. */
export function modelNames({ info }: TextModel): readonly string[] {
  return [info.modelName, ...ALIASES.filter((alias) => alias !== info.modelName)];
}

/** Throws `model_unknown` unless the model answers to that name, in capitals or not. */
export function checkModelName(model: TextModel, name: string): void {
  const known = modelNames(model);
  if (known.some((one) => one.toLowerCase() === name.toLowerCase())) return;
  throw new ApiError(
    'model_unknown',
    { model: name.slice(0, 200), known: known.join(', ') },
    { details: { parameters: ['model'] } },
  );
}

/** Tokens of a text. Throws `invalid_parameter` in the name of `field` for more than `most`, without reading on. */
export function encodePrompt(model: TextModel, field: string, text: string, max: number): readonly TokenId[] {
  try {
    return model.tokenizer.encode(text, { limit: max });
  } catch (error) {
    if (!(error instanceof TokenizerError && error.code === 'too_many_tokens')) throw error;
    throw refuseOption(
      field,
      `expected at most ${max} tokens (prompt and output share a context of ${model.info.config.contextLength}), ` +
        'got more; shorten it',
    );
  }
}

/**
 * Parameters of `generate` for a prompt. `spelling`: what the API at hand calls a parameter, where that differs.
 * Throws `invalid_parameter` in the API's own words.
 */
export function parseConfig(
  model: TextModel,
  fields: ReadonlyMap<string, JsonValue>,
  promptLength: number,
  spelling: ReadonlyMap<string, string>,
): GenerateConfig {
  const plain: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of fields) plain[name] = value;
  try {
    return model.parseParameters(plain, promptLength).config;
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    const parameters = error.parameters.map((name) => spelling.get(name) ?? name);
    const reason = error.message.replace(/\b[a-z]+(?:_[a-z]+)*\b/g, (word) => spelling.get(word) ?? word);
    throw new ApiError('invalid_parameter', { reason }, { details: { parameters, reason: error.code }, cause: error });
  }
}
