import { type GenerateConfig, ParameterError } from '@gptj-cloud/decoding';
import type { EngineInfo } from '@gptj-cloud/engine';
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';
import { type Tokenizer, TokenizerError } from '@gptj-cloud/tokenizer';
import { refuseOption } from './field-reader.ts';
import type { ReadParameters } from './parameter-parser.ts';

/** A served model, for the compatible APIs. */
export interface TextModel {
  readonly info: EngineInfo;
  readonly tokenizer: Tokenizer;
  readonly readParameters: ReadParameters;
  /** Of the model that requests without a name get: the other models of the server. Default: none. */
  readonly others?: readonly TextModel[];
}

/** Aliases of the first model, which programs written for GPT-J send. */
const ALIASES: readonly string[] = ['EleutherAI/gpt-j-6b', 'gpt-j-6b'];

/** Names that a request may use; the first is the own name of the model that requests without a name get. */
export function modelNames(served: TextModel): readonly string[] {
  const models = [served, ...(served.others ?? [])];
  const names = models.map(({ info }) => info.modelName);
  const adapted = models.flatMap(({ info }) => info.adapters.map((adapter) => `${info.modelName}:${adapter}`));
  return [...names, ...ALIASES.filter((alias) => !names.includes(alias)), ...adapted];
}

/**
 * The model that the field `model` of a request names. Beside the names of models it may be empty, an address, which clients of
 * Hugging Face send where they were given one in place of a model, or "tgi", the name in the documentation of
 * text-generation-inference: all mean the model that requests without a name get. Throws `model_unknown`.
 */
export function chooseModel(served: TextModel, name: string | undefined): TextModel {
  if (name === undefined || name === '' || name === 'tgi' || /^https?:\/\//i.test(name)) return served;
  return namedModel(served, name);
}

/** The model of a name, ignoring case. The organisation before its slash may be left out. Throws `model_unknown`. */
export function namedModel(served: TextModel, name: string): TextModel {
  const found = plainModel(served, name) ?? adaptedModel(served, name)?.model;
  if (found !== undefined) return found;
  throw new ApiError(
    'model_unknown',
    { model: name.slice(0, 200), known: modelNames(served).join(', ') },
    { details: { parameters: ['model'] } },
  );
}

/** The adapter of a name `MODEL:ADAPTER`; null where the name is that of a model alone, or there is none. */
export function adapterOf(served: TextModel, name: string | undefined): string | null {
  if (name === undefined || plainModel(served, name) !== undefined) return null;
  return adaptedModel(served, name)?.adapter ?? null;
}

function plainModel(served: TextModel, name: string): TextModel | undefined {
  const wanted = name.toLowerCase();
  const models = [served, ...(served.others ?? [])];
  const found = models.find(({ info }) => info.modelName.toLowerCase() === wanted);
  if (found !== undefined) return found;
  // `gptj pull ORGANISATION/NAME` stores NAME, under which it is then served.
  const [short, another] = models.filter(({ info }) => info.modelName.toLowerCase().endsWith(`/${wanted}`));
  if (short !== undefined && another === undefined) return short;
  return ALIASES.some((alias) => alias.toLowerCase() === wanted) ? served : undefined;
}

function adaptedModel(
  served: TextModel,
  name: string,
): { readonly model: TextModel; readonly adapter: string } | undefined {
  const at = name.lastIndexOf(':');
  const model = at < 0 ? undefined : plainModel(served, name.slice(0, at));
  const wanted = name.slice(at + 1).toLowerCase();
  const adapter = model?.info.adapters.find((one) => one.toLowerCase() === wanted);
  return model === undefined || adapter === undefined ? undefined : { model, adapter };
}

/** Set the adapter that the caller names in another field than `lora`. Throws `invalid_parameter` where it sets both. */
export function useAdapter(fields: Map<string, JsonValue>, field: string, adapter: string | null): void {
  if (adapter === null) return;
  if (fields.has('lora')) throw refuseOption('lora', `expected one of lora and the adapter in ${field}, got both`);
  fields.set('lora', [{ name: adapter }]);
}

export interface PromptOptions {
  /** The name of the field, for errors. */
  readonly field: string;
  /** Maximum number of tokens. */
  readonly max: number;
  /** Keep that many tokens from the end; undefined: refuse a text that is too long. */
  readonly truncate?: number | undefined;
  /** Read special tokens in the text literally. */
  readonly splitSpecialTokens: boolean;
}

/** Tokens of a prompt. Throws `invalid_parameter` for more than `max`, without reading on. */
export function encodePrompt(
  { tokenizer, info }: TextModel,
  text: string,
  { field, max, truncate, splitSpecialTokens }: PromptOptions,
): readonly TokenId[] {
  try {
    if (truncate !== undefined)
      return tokenizer.encodeEnd(text, { count: Math.min(truncate, max), splitSpecialTokens });
    return tokenizer.encode(text, { limit: max, splitSpecialTokens });
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    if (error.code === 'piece_too_long') throw refuseOption(field, `${error.message}; shorten it`);
    if (error.code !== 'too_many_tokens') throw error;
    throw refuseOption(
      field,
      `expected at most ${max} tokens (prompt and output share a context of ${info.config.contextLength}), ` +
        'got more; shorten it',
    );
  }
}

export interface ConfigRequest {
  /** The caller's parameters. */
  readonly fields: ReadonlyMap<string, JsonValue>;
  /** The route's defaults, which they override. */
  readonly defaults: Readonly<Record<string, JsonValue>>;
  /** The API's names for parameters, where they differ from those of `generate`. */
  readonly spelling: ReadonlyMap<string, string>;
}

/** The configuration for a prompt of a length. Throws `invalid_parameter`, which names fields as the API does. */
export type ConfigForPrompt = (promptLength: number) => GenerateConfig;

/**
 * Parameters of `generate` for the prompts of one request, read once: prompts of one length share a configuration. Throws
 * `invalid_parameter`, which names fields as the API does.
 */
export function readConfig(model: TextModel, { fields, defaults, spelling }: ConfigRequest): ConfigForPrompt {
  const plain: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of fields) plain[name] = value;
  const forPrompt = namingFields(spelling, () => model.readParameters(plain, { defaults }));
  const known = new Map<number, GenerateConfig>();
  return (promptLength) => {
    const config = known.get(promptLength) ?? namingFields(spelling, () => forPrompt(promptLength).config);
    known.set(promptLength, config);
    return config;
  };
}

function namingFields<Result>(spelling: ReadonlyMap<string, string>, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof TokenizerError && error.code === 'too_many_tokens') {
      throw new ApiError('invalid_parameter', { reason: `text in a parameter: ${error.message}` }, { cause: error });
    }
    if (!(error instanceof ParameterError)) throw error;
    const parameters = error.parameters.map((name) => spelling.get(name) ?? name);
    const reason = error.message.replace(/\w+/g, (word) => spelling.get(word) ?? word);
    throw new ApiError('invalid_parameter', { reason }, { details: { parameters, reason: error.code }, cause: error });
  }
}
