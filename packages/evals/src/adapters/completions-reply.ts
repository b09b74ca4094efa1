/** Reads replies of `POST /v1/completions`. Everything throws `reply_invalid` with the expected and the found value. */
import { EvaluationError } from '../evaluation-error.ts';
import type { TokenScores } from '../scoring/token-scorer.ts';

export interface CompletionChoice {
  readonly text: string;
  /** Of each token: null where there is none. */
  readonly tokenLogprobs: readonly (number | null)[];
  readonly topLogprobs: readonly (ReadonlyMap<string, number> | null)[];
}

/** The choices in the order of the prompts. */
export function readChoices(reply: unknown, count: number): readonly CompletionChoice[] {
  const { choices } = asRecord(reply, 'the reply');
  if (!Array.isArray(choices) || choices.length !== count) throw invalid(`${count} choices`, choices);
  const sorted = choices
    .map((choice) => asRecord(choice, 'a choice'))
    .sort((a, b) => Number(a.index ?? 0) - Number(b.index ?? 0));
  return sorted.map(({ text, logprobs }) => {
    const { token_logprobs, top_logprobs } =
      logprobs === null || logprobs === undefined ? {} : asRecord(logprobs, 'logprobs');
    return {
      text: typeof text === 'string' ? text : '',
      tokenLogprobs: Array.isArray(token_logprobs) ? token_logprobs.map(readLogprob) : [],
      topLogprobs: Array.isArray(top_logprobs) ? top_logprobs.map(readTop) : [],
    };
  });
}

/** Scores of the tokens from `start` to `end` of a prompt that the reply repeats. */
export function readScores(
  choice: CompletionChoice,
  { start, end }: { readonly start: number; readonly end: number },
): TokenScores {
  const { tokenLogprobs, topLogprobs } = choice;
  // The prompt and the one token that is generated, unless generation ended at once.
  if (tokenLogprobs.length < end || tokenLogprobs.length > end + 1 || topLogprobs.length !== tokenLogprobs.length) {
    throw invalid(
      `token_logprobs and top_logprobs of the ${end} tokens of the prompt and one more`,
      `${tokenLogprobs.length} and ${topLogprobs.length}; the server needs echo with logprobs`,
    );
  }
  const logprobs: number[] = [];
  const top: boolean[] = [];
  for (let at = start; at < end; at++) {
    const logprob = tokenLogprobs[at];
    const best = topLogprobs[at];
    if (logprob === null || logprob === undefined) throw invalid(`a log-probability of token ${at}`, logprob);
    if (best === null || best === undefined || best.size === 0)
      throw invalid(`the top log-probability of token ${at}`, best);
    logprobs.push(logprob);
    top.push(logprob >= Math.max(...best.values()));
  }
  return { logprobs, greedy: top, top };
}

function readLogprob(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'number') throw invalid('log-probabilities', value);
  return value;
}

function readTop(value: unknown): ReadonlyMap<string, number> | null {
  if (value === null || value === undefined) return null;
  const entries = Object.entries(asRecord(value, 'top_logprobs'));
  return new Map(
    entries.map(([token, logprob]) => {
      if (typeof logprob !== 'number') throw invalid('log-probabilities in top_logprobs', logprob);
      return [token, logprob];
    }),
  );
}

function asRecord(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${name} to be an object`, value);
  return { ...value };
}

function invalid(expected: string, got: unknown): EvaluationError {
  const shown = typeof got === 'string' ? got : (JSON.stringify(got) ?? 'nothing');
  return new EvaluationError('reply_invalid', `expected ${expected}, got ${shown.slice(0, 200)}`);
}
