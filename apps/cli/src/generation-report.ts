import type { TokenLogprob, TokenReport } from '@gptj-cloud/decoding';
import type { EngineInfo } from '@gptj-cloud/engine';
import type { TokenId } from '@gptj-cloud/model';
import { formatCount, formatDuration, threeDigits } from './figures.ts';
import type { GenerationResult } from './stream-generation.ts';

/** Rates over a shorter time are noise. */
const MIN_RATE_MS = 1;

const REASONS = { eos: 'end of text', length: 'length limit', stop: 'stop string', time: 'time limit' } as const;

/** `64 tokens in 5.9 s · prompt 11 tokens, 31.4/s · output 10.9 tokens/s · ended by length limit`. */
export function summaryLine({ outcome, usage, ...timing }: GenerationResult): string {
  const prefill = tokensPerSecond(usage.promptTokens - usage.cachedTokens, timing.prefillMs);
  const decode = tokensPerSecond(usage.generatedTokens - timing.firstTokens, timing.decodeMs);
  const output = decode ?? tokensPerSecond(usage.generatedTokens, usage.computeMs);
  const reasons = [...new Set(outcome.sequences.map(({ finishReason }) => REASONS[finishReason]))];
  return [
    `${formatCount(usage.generatedTokens)} tokens in ${formatDuration(usage.computeMs)}`,
    `prompt ${formatCount(usage.promptTokens)} tokens${prefill === null ? '' : `, ${threeDigits(prefill)}/s`}`,
    ...(output === null ? [] : [`output ${threeDigits(output)} tokens/s`]),
    `ended by ${reasons.join(' and ')}`,
    ...(outcome.seed === undefined ? [] : [`seed ${outcome.seed}`]),
  ].join(' · ');
}

export interface GenerationContext {
  readonly prompt: string;
  readonly info: EngineInfo;
  readonly tokenText: (token: TokenId) => string;
  readonly warnings: readonly string[];
}

/** The output of `--json`. Field names are those of the API; rates are tokens per second, null where not measurable. */
export function generationJson(
  result: GenerationResult,
  { prompt, info, tokenText, warnings }: GenerationContext,
): string {
  const { outcome, usage } = result;
  const logprob = ({ token, logprob: value, processed }: TokenLogprob): object => ({
    token_id: token,
    text: tokenText(token),
    logprob: value,
    ...(processed === undefined ? {} : { processed }),
  });
  const report = (entry: TokenReport): object => ({ ...logprob(entry), top: entry.top.map(logprob) });
  return JSON.stringify({
    model: info.modelName,
    quantisation: info.quantisation,
    engine: info.kind,
    prompt,
    sequences: outcome.sequences.map((sequence, at) => ({
      text: result.texts[at],
      token_ids: sequence.tokens,
      finish_reason: sequence.finishReason,
      score: sequence.score,
      beam_indices: sequence.beamIndices,
      logprobs: sequence.logprobs?.map(report),
    })),
    prompt_logprobs: outcome.promptLogprobs?.map(report),
    scores: outcome.scores,
    logits: outcome.logits,
    seed: outcome.seed,
    warnings: [...warnings, ...(outcome.warnings ?? [])],
    usage: {
      prompt_tokens: usage.promptTokens,
      generated_tokens: usage.generatedTokens,
      computed_tokens: usage.computedTokens,
      cached_tokens: usage.cachedTokens,
      load_ms: info.loadMs,
      compute_ms: usage.computeMs,
      prefill_tokens_per_second: tokensPerSecond(usage.promptTokens - usage.cachedTokens, result.prefillMs),
      decode_tokens_per_second: tokensPerSecond(usage.generatedTokens - result.firstTokens, result.decodeMs),
    },
  });
}

/** Null over a time that is too short to measure: the events of a fast engine arrive together. */
function tokensPerSecond(tokens: number, ms: number | null): number | null {
  return ms !== null && ms >= MIN_RATE_MS && tokens > 0 ? (tokens / ms) * 1000 : null;
}
