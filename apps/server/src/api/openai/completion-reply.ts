import { randomBytes } from 'node:crypto';
import type { FinishReason, GenerateOutcome } from '@gptj-cloud/decoding';
import type { GenerationUsage } from '@gptj-cloud/engine';
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { readPromptText } from '../../generation/prompt-text.ts';
import { selectMostLikely } from '../../generation/select-most-likely.ts';
import { createSequenceText, type SequenceText, type ShownText } from '../../generation/sequence-text.ts';
import {
  type CompletionLogprobs,
  joinLogprobs,
  promptTokens,
  toCompletionLogprobs,
  tokenNames,
} from './completion-logprobs.ts';
import type { CompletionRequest } from './completion-request.ts';

export interface CompletionChoice {
  index: number;
  text: string;
  logprobs: CompletionLogprobs | null;
  finish_reason: 'stop' | 'length' | null;
  /** With `return_token_ids`: of the prompt, in the first part of a choice. */
  prompt_token_ids?: readonly TokenId[];
  /** With `return_token_ids`: of the output. */
  token_ids?: readonly TokenId[];
}

export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** The fields that all objects of one reply share. */
export interface CompletionHead {
  id: string;
  object: 'text_completion';
  /** Seconds since 1970. */
  created: number;
  model: string;
}

export interface Completion extends CompletionHead {
  choices: readonly CompletionChoice[];
  usage?: CompletionUsage | null;
}

export function completionHead(model: string, now: Date): CompletionHead {
  return {
    id: `cmpl-${randomBytes(16).toString('hex')}`,
    object: 'text_completion',
    created: Math.floor(now.getTime() / 1000),
    model,
  };
}

export function completionUsage(usages: readonly GenerationUsage[]): CompletionUsage {
  const prompt = usages.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  const completion = usages.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

export interface PartOptions {
  readonly prompt: number;
  /** The first part of its choice. */
  readonly isFirst: boolean;
}

/** Writes parts of choices under the request's options. */
export interface ChoiceWriter {
  /** The prompt at the head of a choice, with `echo`; its log-probabilities come from the outcome. */
  echo(prompt: number, outcome?: GenerateOutcome): Omit<CompletionChoice, 'index'>;
  /** The text of a sequence that continues the prompt. */
  sequence(prompt: number): SequenceText;
  part(shown: ShownText, finishReason: FinishReason | null, options: PartOptions): Omit<CompletionChoice, 'index'>;
}

export function createChoiceWriter(request: CompletionRequest, tokenizer: Tokenizer): ChoiceWriter {
  const { logprobs: topCount, stops, echo, written, form } = request;
  const name = tokenNames(tokenizer, form.asIds);
  // Offsets count the prompt's characters whether or not it is echoed.
  const prompts = written.map((ids) => readPromptText(tokenizer, ids));
  return {
    echo: (prompt, outcome) => ({
      text: prompts[prompt]!.text,
      logprobs:
        topCount === null
          ? null
          : toCompletionLogprobs(name, promptTokens(tokenizer, written[prompt]!, outcome?.promptLogprobs), topCount),
      finish_reason: null,
    }),
    sequence: (prompt) => createSequenceText(tokenizer, { stops, prompt: prompts[prompt]!, echo }),
    part: ({ text, tokens }, finishReason, { prompt, isFirst }) => ({
      text,
      logprobs: topCount === null ? null : toCompletionLogprobs(name, tokens, topCount),
      finish_reason: finishReason === null ? null : toFinishReason(finishReason),
      ...(form.withIds && isFirst ? { prompt_token_ids: written[prompt]! } : {}),
      ...(form.withIds ? { token_ids: tokens.map(({ token }) => token) } : {}),
    }),
  };
}

/** The finished choices of one prompt, in the order of their index. */
export function toChoices(
  request: CompletionRequest,
  writer: ChoiceWriter,
  prompt: number,
  outcome: GenerateOutcome,
): readonly CompletionChoice[] {
  const best = selectMostLikely(outcome.sequences, request.n);
  const choices = best.map(({ tokens, logprobs, finishReason }) => {
    const text = writer.sequence(prompt);
    const [shown, rest] = [text.push(tokens, logprobs), text.end()];
    const all = { text: shown.text + rest.text, tokens: [...shown.tokens, ...rest.tokens] };
    const choice = writer.part(all, finishReason, { prompt, isFirst: true });
    return request.echo ? joined(writer.echo(prompt, outcome), choice) : choice;
  });
  return Array.from({ length: request.n }, (_, at) => ({
    index: prompt * request.n + at,
    // Greedy decoding gives one sequence, whatever n.
    ...choices[Math.min(at, choices.length - 1)]!,
  }));
}

function joined(
  head: Omit<CompletionChoice, 'index'>,
  tail: Omit<CompletionChoice, 'index'>,
): Omit<CompletionChoice, 'index'> {
  return {
    ...tail,
    text: head.text + tail.text,
    logprobs: head.logprobs && tail.logprobs && joinLogprobs(head.logprobs, tail.logprobs),
  };
}

function toFinishReason(reason: FinishReason): 'stop' | 'length' {
  return reason === 'eos' || reason === 'stop' ? 'stop' : 'length';
}
