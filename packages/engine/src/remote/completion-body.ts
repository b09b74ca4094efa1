/** Bodies of `POST /v1/completions` for a generation. */
import type { GenerateConfig } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { GenerationRequest } from '../engine.ts';
import { forbiddenTokens, MAX_BIAS } from './remote-parameters.ts';

export interface BodyOptions {
  /** The name of the model at the server. */
  readonly model: string;
  /** Whether the server takes priorities other than 0 (`--scheduling-policy priority`). */
  readonly hasPriorities: boolean;
}

type Body = Readonly<Record<string, unknown>>;

/**
 * Everything that shapes the distribution is named, also where it is neutral: a server takes what is not named from the
 * model's generation_config.json.
 */
export function generationBody(
  { prompt, config, priority = 0 }: GenerationRequest,
  { model, hasPriorities }: BodyOptions,
): Body {
  const { topLogprobs } = config.output;
  return {
    model,
    prompt,
    stream: true,
    stream_options: { include_usage: true },
    return_token_ids: true,
    max_tokens: config.maxLength - prompt.length,
    n: config.numReturnSequences,
    ...samplingFields(config),
    repetition_penalty: config.repetitionPenalty,
    presence_penalty: config.presencePenalty,
    frequency_penalty: config.frequencyPenalty,
    ...biasFields(config),
    ...endFields(config, prompt.length),
    ...(topLogprobs === null ? {} : { logprobs: topLogprobs, return_tokens_as_token_ids: true }),
    // There a smaller number is served earlier.
    ...(hasPriorities && priority !== 0 ? { priority: -priority } : {}),
  };
}

/** The log-probabilities of a prompt. */
export function echoBody(prompt: readonly TokenId[], topLogprobs: number, { model }: Pick<BodyOptions, 'model'>): Body {
  return {
    model,
    prompt,
    max_tokens: 0,
    echo: true,
    temperature: 0,
    logprobs: topLogprobs,
    return_tokens_as_token_ids: true,
    return_token_ids: true,
  };
}

function samplingFields({ doSample, temperature, topK, topP, minP }: GenerateConfig): Body {
  if (!doSample) return { temperature: 0, top_p: 1, top_k: 0, min_p: 0 };
  return { temperature, top_p: Math.min(topP, 1), top_k: topK, min_p: minP ?? 0 };
}

function biasFields(config: GenerateConfig): Body {
  const biases = new Map<TokenId, number>();
  for (const { tokens, bias } of config.sequenceBias) {
    const token = tokens[0];
    if (token !== undefined) biases.set(token, bias);
  }
  for (const token of forbiddenTokens(config)) biases.set(token, -MAX_BIAS);
  return biases.size === 0 ? {} : { logit_bias: Object.fromEntries(biases) };
}

/** Its own end-of-text token is ignored: those of the request end the output. */
function endFields({ eosTokenIds, stopSequences, minLength }: GenerateConfig, promptLength: number): Body {
  const minTokens = Math.max(0, minLength - promptLength);
  const ends = new Set(eosTokenIds.filter((id) => id >= 0));
  // The server would forbid these as well until the minimum; `generate` does not.
  if (minTokens === 0)
    for (const [token, next] of stopSequences) if (token !== undefined && next === undefined) ends.add(token);
  return {
    ignore_eos: true,
    ...(ends.size === 0 ? {} : { stop_token_ids: [...ends] }),
    ...(minTokens === 0 ? {} : { min_tokens: minTokens }),
  };
}
