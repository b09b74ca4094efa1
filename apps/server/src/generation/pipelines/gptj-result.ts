import { setImmediate } from 'node:timers/promises';
import type { GenerateOutcome, ScoreRow, TokenReport } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { finite, toBeamCandidate, toTokenLogprob } from '../token-logprob.ts';
import { visibleText } from '../visible-text.ts';

export interface ResultOptions {
  readonly tokenizer: Tokenizer;
  /** Tokens of the prompt where it is part of the text; else none. */
  readonly shownPrompt: readonly TokenId[];
  /** Cut generated text where one of these begins. */
  readonly trimAt: readonly string[];
  /** `return_dict_in_generate`. */
  readonly asDict: boolean;
}

/**
 * The pipeline's one output: the list of texts, or with `return_dict_in_generate` a dict of all requested results.
 * `sequences` are the token ids of `texts`, not cut at stop strings. Lists without a value are left out.
 */
export async function gptjResult(
  outcome: GenerateOutcome,
  { tokenizer, shownPrompt, trimAt, asDict }: ResultOptions,
): Promise<JsonValue> {
  // The prompt as the caller wrote it; of the output, special tokens are left out.
  const prompt = tokenizer.decode(shownPrompt, { skipSpecial: false });
  const texts = outcome.sequences.map(({ tokens }) => prompt + visibleText(tokenizer, trimAt, tokens));
  if (!asDict) return texts;
  const { sequences } = outcome;
  const report = (token: TokenReport): JsonValue => toTokenLogprob(tokenizer, token);
  const result: { [key: string]: JsonValue } = {
    texts,
    sequences: sequences.map(({ tokens }) => [...shownPrompt, ...tokens]),
    finish_reasons: sequences.map(({ finishReason }) => finishReason),
  };
  if (sequences.some(({ score }) => score !== undefined)) {
    result.sequences_scores = sequences.map(({ score }) => finite(score));
  }
  if (sequences.some(({ beamIndices }) => beamIndices !== undefined)) {
    result.beam_indices = sequences.map(({ beamIndices }) => [...(beamIndices ?? [])]);
  }
  if (sequences.some(({ logprobs }) => logprobs !== undefined)) {
    result.logprobs = await mapInParts(sequences, ({ logprobs }) => (logprobs ?? []).map(report));
  }
  if (outcome.promptLogprobs !== undefined)
    result.prompt_logprobs = await mapInParts(outcome.promptLogprobs, report, 64);
  if (outcome.beams !== undefined) {
    result.beams = await mapInParts(
      outcome.beams,
      (step) => step.map((one) => ({ ...toBeamCandidate(tokenizer, one) })),
      16,
    );
  }
  if (outcome.scores !== undefined) result.scores = await mapInParts(outcome.scores, (step) => step.map(toRow));
  if (outcome.logits !== undefined) result.logits = await mapInParts(outcome.logits, (step) => step.map(toRow));
  return result;
}

/** `list.map(map)`, in which other work may run after every `part` entries: results may hold hundreds of thousands of values. */
async function mapInParts<Entry, Result>(
  list: readonly Entry[],
  map: (entry: Entry) => Result,
  part = 1,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, entry] of list.entries()) {
    if (index > 0 && index % part === 0) await setImmediate();
    results.push(map(entry));
  }
  return results;
}

/** A row: base64 of all values, or pairs of token and value. Forbidden tokens (-inf) have no pair. */
function toRow(row: ScoreRow | null): JsonValue {
  if (row === null) return null;
  if (row.type === 'base64') return row.data;
  return row.entries
    .filter(([, score]) => score !== Number.NEGATIVE_INFINITY)
    .map(([token, score]) => [token, finite(score)]);
}
