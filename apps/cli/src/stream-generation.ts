/** Runs one generation, forwards its text while it is generated, and measures prefill and decoding. */
import type { GenerateOutcome } from '@gptj-cloud/decoding';
import type { Engine, GenerationRequest, GenerationUsage } from '@gptj-cloud/engine';
import type { TokenId } from '@gptj-cloud/model';
import { createDetokeniser, type Tokenizer } from '@gptj-cloud/tokenizer';

export interface GenerationJob {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly request: GenerationRequest;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Receives final text of the first sequence. The generation waits for the promise. */
  readonly onText: (text: string) => Promise<void>;
}

export interface GenerationResult {
  readonly outcome: GenerateOutcome;
  /** Text of each sequence of the outcome. */
  readonly texts: readonly string[];
  readonly usage: GenerationUsage;
  /** From the first evaluation to the first tokens. Null when tokens arrive only at the end (beams). */
  readonly prefillMs: number | null;
  /** From the first tokens to the end. Null as above. */
  readonly decodeMs: number | null;
  /** Tokens of the first event, which belong to the prefill. */
  readonly firstTokens: number;
}

/** Throws the errors of `Engine.generate`. */
export async function streamGeneration(job: GenerationJob): Promise<GenerationResult> {
  const { engine, tokenizer, request, signal, now, onText } = job;
  const detokeniser = createDetokeniser(tokenizer);
  let shownTokens = 0;
  let startedMs = now();
  let firstMs: number | null = null;
  let firstTokens = 0;
  const show = async (tokens: readonly TokenId[]): Promise<void> => {
    const text = tokens.map((id) => detokeniser.push(id)).join('');
    shownTokens += tokens.length;
    if (text !== '') await onText(text);
  };
  for await (const event of engine.generate(request, signal)) {
    if (event.type === 'started') {
      startedMs = now();
    } else if (event.type === 'tokens') {
      if (firstMs === null) firstTokens = event.tokens.length;
      firstMs ??= now();
      if (event.index === 0) await show(event.tokens);
    } else if (event.type === 'finished') {
      const endMs = now();
      const { sequences } = event.outcome;
      await show(sequences[0]?.tokens.slice(shownTokens) ?? []);
      const rest = detokeniser.end();
      if (rest !== '') await onText(rest);
      return {
        outcome: event.outcome,
        texts: sequences.map(({ tokens }) => tokenizer.decode(tokens)),
        usage: event.usage,
        prefillMs: firstMs === null ? null : firstMs - startedMs,
        decodeMs: firstMs === null ? null : endMs - firstMs,
        firstTokens,
      };
    }
  }
  throw new Error('expected a finished event from the engine, but its events ended without one');
}
