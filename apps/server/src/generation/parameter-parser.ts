import {
  type GenerateConfig,
  ParameterError,
  type ParametersForPrompt,
  readGenerateParameters,
} from '@gptj-cloud/decoding';
import {
  describeRefused,
  type EngineInfo,
  modelContext,
  type RemoteLimits,
  refusedParameters,
} from '@gptj-cloud/engine';
import type { Tokenizer } from '@gptj-cloud/tokenizer';

export interface ReadParametersOptions {
  /** The route's defaults, which values in the request override. Default: none. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Names that the route parses: included in the suggestions for an unknown name. Default: none. */
  readonly otherNames?: readonly string[];
}

/**
 * Parameters of `generate`, read once for all prompts of a request. Reading and the function that it returns throw
 * `ParameterError`, or `TokenizerError` for text.
 */
export type ReadParameters = (
  fields: Readonly<Record<string, unknown>>,
  options?: ReadParametersOptions,
) => ParametersForPrompt;

export interface ParameterReaderOptions {
  /** Checks regular expressions in place of the compiler, which takes milliseconds for a small one. */
  readonly checkPattern?: (pattern: string) => void;
}

/** A reader for an engine whose adapters change. */
export function createLiveReader(
  engine: { readonly info: EngineInfo },
  tokenizer: Pick<Tokenizer, 'encode'>,
  options: ParameterReaderOptions = {},
): ReadParameters {
  let { info } = engine;
  let read = createParameterReader(info, tokenizer, options);
  return (fields, route) => {
    if (engine.info !== info) {
      info = engine.info;
      read = createParameterReader(info, tokenizer, options);
    }
    return read(fields, route);
  };
}

export function createParameterReader(
  info: EngineInfo,
  tokenizer: Pick<Tokenizer, 'encode'>,
  options: ParameterReaderOptions = {},
): ReadParameters {
  // A word longer than the context is refused anyway: stop encoding there.
  const limit = info.config.contextLength;
  const context = {
    ...modelContext(info, (text, encoding) => tokenizer.encode(text, { limit, ...encoding })),
    ...options,
  };
  const { remote } = info;
  return (fields, route = {}) => {
    const forPrompt = readGenerateParameters(fields, { ...context, ...route });
    if (remote === undefined) return forPrompt;
    return (promptLength) => {
      const parsed = forPrompt(promptLength);
      refuseElsewhere(parsed.config, remote);
      return parsed;
    };
  };
}

/** Throws `unsupported_parameter` for what the server that computes cannot honour. */
function refuseElsewhere(config: GenerateConfig, limits: RemoteLimits): void {
  const reason = describeRefused(config, limits);
  if (reason === null) return;
  const names = refusedParameters(config, limits).map(({ parameter }) => parameter);
  throw new ParameterError('unsupported_parameter', names, reason);
}
