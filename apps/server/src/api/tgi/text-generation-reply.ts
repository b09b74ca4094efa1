import type { FinishReason, GeneratedSequence, GenerateOutcome, TokenReport } from '@gptj-cloud/decoding';
import { ModelError, type TokenId } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';
import { createDetokeniser, type Detokeniser, type Tokenizer } from '@gptj-cloud/tokenizer';
import type { DirectEvent } from '../../generation/generation-service.ts';
import { selectMostLikely } from '../../generation/select-most-likely.ts';
import { toStreamError } from '../../generation/stream-error.ts';
import type { TextModel } from '../../generation/text-model.ts';
import type { TextGenerationRequest } from './text-generation-request.ts';
import { toTgiError } from './tgi-error.ts';

interface SimpleToken {
  id: TokenId;
  text: string;
  logprob: number | null;
}

interface Token extends SimpleToken {
  special: boolean;
}

interface SequenceDetails {
  finish_reason: 'length' | 'eos_token' | 'stop_sequence';
  generated_tokens: number;
  seed: number | null;
  prefill: readonly SimpleToken[];
  tokens: readonly Token[];
  top_tokens?: readonly (readonly Token[])[];
}

export interface TextGeneration {
  generated_text: string;
  details?: SequenceDetails & { best_of_sequences?: readonly (SequenceDetails & { generated_text: string })[] };
}

/** The returned sequences of a request that is not streamed. Throws the errors of `events`. */
export async function collectTextGeneration(
  model: TextModel,
  request: TextGenerationRequest,
  events: AsyncIterable<DirectEvent>,
): Promise<readonly TextGeneration[]> {
  let outcome: GenerateOutcome | null = null;
  for await (const event of events) {
    if (event.type === 'engine' && event.event.type === 'finished') outcome = event.event.outcome;
  }
  if (outcome === null) throw new ModelError('engine_failed', 'the engine ended the generation without a result');
  const { sequences } = outcome;
  const best = selectMostLikely(sequences, request.returned);
  const { tokenizer } = model;
  const describe = (sequence: GeneratedSequence): SequenceDetails => toDetails(tokenizer, request, outcome, sequence);
  return best.map((sequence) => {
    const reply: TextGeneration = { generated_text: fullText(tokenizer, request, sequence.tokens) };
    if (!request.details) return reply;
    const others = sequences.filter((other) => !best.includes(other));
    const bestOf = others.map((other) => ({
      generated_text: fullText(tokenizer, request, other.tokens),
      ...describe(other),
    }));
    return {
      ...reply,
      details: { ...describe(sequence), ...(bestOf.length === 0 ? {} : { best_of_sequences: bestOf }) },
    };
  });
}

/** The data of each event of a streamed reply: a token each, the last with the whole text. */
export async function* streamTextGeneration(
  { tokenizer }: TextModel,
  request: TextGenerationRequest,
  events: AsyncIterable<DirectEvent>,
  onFailure: (error: unknown) => ApiError,
): AsyncGenerator<string> {
  const detokeniser = createDetokeniser(tokenizer);
  let index = 0;
  /** The newest token waits for the next event: the last token carries the whole text. */
  let held: object | null = null;
  try {
    for await (const event of events) {
      if (event.type !== 'engine') continue;
      const { event: inner } = event;
      if (inner.type === 'tokens') {
        for (const [at, token] of inner.tokens.entries()) {
          if (held !== null) yield JSON.stringify(held);
          const report = inner.logprobs?.[at];
          held = {
            index: ++index,
            token: toToken(tokenizer, detokeniser, token, report?.logprob ?? null),
            ...(request.topTokens === 0 ? {} : { top_tokens: topTokens(tokenizer, report) }),
            generated_text: null,
            details: null,
          };
        }
      } else if (inner.type === 'finished' && held !== null) {
        const { outcome, usage } = inner;
        const [sequence] = outcome.sequences;
        if (sequence === undefined) continue;
        const { tokens, finishReason } = sequence;
        const details = {
          finish_reason: toFinishReason(finishReason),
          generated_tokens: tokens.length,
          seed: outcome.seed ?? null,
          input_length: usage.promptTokens,
        };
        yield JSON.stringify({
          ...held,
          generated_text: fullText(tokenizer, request, tokens),
          details: request.details ? details : null,
        });
      }
    }
  } catch (error) {
    yield JSON.stringify(toTgiError(toStreamError(error instanceof ApiError ? error : onFailure(error))));
  }
}

/** The text of the output, after the prompt as the caller wrote it where the full text is asked for. */
function fullText(tokenizer: Tokenizer, request: TextGenerationRequest, tokens: readonly TokenId[]): string {
  return (request.returnFullText ? request.inputs : '') + tokenizer.decode(tokens);
}

function toDetails(
  tokenizer: Tokenizer,
  request: TextGenerationRequest,
  outcome: GenerateOutcome,
  { tokens, finishReason, logprobs = [] }: GeneratedSequence,
): SequenceDetails {
  const detokeniser = createDetokeniser(tokenizer);
  return {
    finish_reason: toFinishReason(finishReason),
    generated_tokens: tokens.length,
    seed: outcome.seed ?? null,
    prefill: request.decoderInputDetails ? prefillOf(tokenizer, request, outcome) : [],
    tokens: tokens.map((token, at) => toToken(tokenizer, detokeniser, token, logprobs[at]?.logprob ?? null)),
    ...(request.topTokens === 0 ? {} : { top_tokens: logprobs.map((report) => topTokens(tokenizer, report)) }),
  };
}

/** The prompt's tokens; the first has no log-probability, because no token precedes it. */
function prefillOf(
  tokenizer: Tokenizer,
  { prompt }: TextGenerationRequest,
  { promptLogprobs = [] }: GenerateOutcome,
): readonly SimpleToken[] {
  return prompt.prompt.map((id, at) => ({
    id,
    text: tokenizer.decode([id], { skipSpecial: false }),
    logprob: at === 0 ? null : (promptLogprobs[at - 1]?.logprob ?? null),
  }));
}

/** A token with the text it completes; a token that ends inside a character has none yet. */
function toToken(tokenizer: Tokenizer, detokeniser: Detokeniser, id: TokenId, logprob: number | null): Token {
  const special = tokenizer.isSpecial(id);
  const completed = detokeniser.push(id);
  return { id, text: special ? tokenizer.decode([id], { skipSpecial: false }) : completed, logprob, special };
}

function topTokens(tokenizer: Tokenizer, report: TokenReport | undefined): readonly Token[] {
  return (report?.top ?? []).map(({ token, logprob }) => ({
    id: token,
    text: tokenizer.decode([token], { skipSpecial: false }),
    logprob,
    special: tokenizer.isSpecial(token),
  }));
}

function toFinishReason(reason: FinishReason): SequenceDetails['finish_reason'] {
  if (reason === 'eos') return 'eos_token';
  return reason === 'stop' ? 'stop_sequence' : 'length';
}
