import type { FinishReason, GenerateOutcome } from '@gptj-cloud/decoding';
import type { GenerationEvent, GenerationUsage } from '@gptj-cloud/engine';
import { ApiError } from '@gptj-cloud/protocol';
import type { DirectEvent } from '../../generation/generation-service.ts';
import type { ShownText } from '../../generation/sequence-text.ts';
import { toStreamError } from '../../generation/stream-error.ts';
import type { TextModel } from '../../generation/text-model.ts';
import {
  type ChoiceWriter,
  type Completion,
  type CompletionChoice,
  type CompletionHead,
  completionUsage,
  createChoiceWriter,
  toChoices,
} from './completion-reply.ts';
import type { CompletionRequest } from './completion-request.ts';
import { toOpenAiError } from './openai-error.ts';

/** The reply of a request that is not streamed. Throws the errors of `events`. */
export async function collectCompletion(
  model: TextModel,
  request: CompletionRequest,
  head: CompletionHead,
  events: AsyncIterable<DirectEvent>,
): Promise<Completion> {
  const writer = createChoiceWriter(request, model.tokenizer);
  const choices: (readonly CompletionChoice[])[] = [];
  const usages: GenerationUsage[] = [];
  for await (const event of events) {
    if (event.type !== 'engine' || event.event.type !== 'finished') continue;
    const { outcome, usage } = event.event;
    choices[event.prompt] = toChoices(request, writer, event.prompt, outcome);
    usages.push(usage);
  }
  return { ...head, choices: choices.flat(), usage: completionUsage(usages) };
}

/**
 * The data of each event of a streamed reply, `[DONE]` last. A failure is an event with `error`, after which the stream
 * ends without `[DONE]`.
 */
export async function* streamCompletion(
  model: TextModel,
  request: CompletionRequest,
  head: CompletionHead,
  events: AsyncIterable<DirectEvent>,
  onFailure: (error: unknown) => ApiError,
): AsyncGenerator<string> {
  const writer = createChoiceWriter(request, model.tokenizer);
  const usages: GenerationUsage[] = [];
  const chunk = (choices: readonly CompletionChoice[], usage: Completion['usage'] = null): string =>
    JSON.stringify({ ...head, choices, ...(request.includeUsage ? { usage } : {}) } satisfies Completion);
  try {
    const prompts = request.prompts.map((_, prompt) => createPromptStream(request, writer, prompt));
    for (const prompt of prompts) for (const choice of prompt.begin()) yield chunk([choice]);
    for await (const event of events) {
      if (event.type !== 'engine') continue;
      const { prompt, event: inner } = event;
      if (inner.type === 'tokens') {
        for (const choice of prompts[prompt]!.push(inner.index, inner)) yield chunk([choice]);
      } else if (inner.type === 'finished') {
        usages.push(inner.usage);
        for (const choice of prompts[prompt]!.end(inner.outcome)) yield chunk([choice]);
      }
    }
  } catch (error) {
    yield JSON.stringify(toOpenAiError(toStreamError(error instanceof ApiError ? error : onFailure(error))));
    return;
  }
  if (request.includeUsage) yield chunk([], completionUsage(usages));
  yield '[DONE]';
}

type TokensPart = Pick<Extract<GenerationEvent, { readonly type: 'tokens' }>, 'tokens' | 'logprobs'>;

/** The chunks of one prompt's choices. */
interface PromptStream {
  begin(): readonly CompletionChoice[];
  push(sequence: number, part: TokensPart): readonly CompletionChoice[];
  end(outcome: GenerateOutcome): readonly CompletionChoice[];
}

function createPromptStream(request: CompletionRequest, writer: ChoiceWriter, prompt: number): PromptStream {
  const texts = Array.from({ length: request.sequences }, () => writer.sequence(prompt));
  const begun = new Set<number>();
  const part = (sequence: number, shown: ShownText, reason: FinishReason | null): Omit<CompletionChoice, 'index'> => {
    const isFirst = !begun.has(sequence);
    begun.add(sequence);
    return writer.part(shown, reason, { prompt, isFirst });
  };
  const showsTokens = request.logprobs !== null || request.form.withIds;
  /** Greedy decoding makes one sequence, which all choices show. */
  const choicesOf = (sequence: number, choice: Omit<CompletionChoice, 'index'>): readonly CompletionChoice[] => {
    const indices = request.sequences === 1 ? Array.from({ length: request.n }, (_, at) => at) : [sequence];
    return indices.map((at) => ({ index: prompt * request.n + at, ...choice }));
  };
  return {
    begin() {
      if (!request.echo) return [];
      const echo = writer.echo(prompt);
      return Array.from({ length: request.n }, (_, at) => ({ index: prompt * request.n + at, ...echo }));
    },
    push(sequence, { tokens, logprobs }) {
      const shown = texts[sequence]!.push(tokens, logprobs);
      const isEmpty = shown.text === '' && (!showsTokens || shown.tokens.length === 0);
      return isEmpty ? [] : choicesOf(sequence, part(sequence, shown, null));
    },
    end(outcome) {
      return outcome.sequences.flatMap(({ finishReason }, sequence) =>
        choicesOf(sequence, part(sequence, texts[sequence]!.end(), finishReason)),
      );
    },
  };
}
