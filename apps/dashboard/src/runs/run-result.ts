/** What a run returned, from the JSON of its result. */
import { parseTokenLogprob, type Run, type TokenLogprob } from '@gptj-cloud/sdk';

export interface RunResult {
  readonly texts: readonly string[];
  /** Scores of beams; null where there are none. */
  readonly scores: readonly (number | null)[] | null;
  /** Token ids of each text, with the prompt where the text has it; null where the result has texts alone. */
  readonly ids: readonly (readonly number[])[] | null;
  /** Tokens of each text with their chances; null where the run did not request them. */
  readonly tokens: readonly (readonly TokenLogprob[])[] | null;
}

/** Null: there is no result, or it is too long for the reply. */
export function resultOf({ resultPreview }: Pick<Run, 'resultPreview'>): RunResult | null {
  const output = resultPreview?.[0];
  if (Array.isArray(output)) return { texts: output.map(String), scores: null, ids: null, tokens: null };
  if (!isRecord(output)) return null;
  return {
    texts: listOf(output.texts, String) ?? [],
    scores: listOf(output.sequences_scores, (score) => (typeof score === 'number' ? score : null)),
    ids: listOf(output.sequences, (ids) => listOf(ids, Number) ?? []),
    tokens: listOf(output.logprobs, (entries) => listOf(entries, parseTokenLogprob) ?? []),
  };
}

/** How a replay compares with the run that it repeats. */
export type Comparison =
  | { readonly isSame: true; readonly of: 'token ids' | 'letters'; readonly count: number }
  | { readonly isSame: false; readonly of: 'token' | 'letter'; readonly at: number };

/** The first difference, of token ids where both have them. Null: one has no result. */
export function compareResults(before: RunResult | null, after: RunResult | null): Comparison | null {
  if (before === null || after === null) return null;
  const hasIds = before.ids !== null && after.ids !== null;
  const [a, b] = hasIds
    ? [(before.ids ?? []).flat(), (after.ids ?? []).flat()]
    : [Array.from(before.texts.join('\n')), Array.from(after.texts.join('\n'))];
  const length = Math.max(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a[at] !== b[at]) return { isSame: false, of: hasIds ? 'token' : 'letter', at };
  }
  return { isSame: true, of: hasIds ? 'token ids' : 'letters', count: length };
}

function listOf<Item>(value: unknown, parse: (item: unknown) => Item): readonly Item[] | null {
  return Array.isArray(value) ? value.map((item) => parse(item)) : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
