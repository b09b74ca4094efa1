import { arrayAt, numberAt, objectAt, orNull, stringAt, unexpected } from './fields.ts';

/** A token and its log-probability (natural); null where it is not finite. */
export interface LikelyToken {
  readonly token: number;
  /** Its text; `bytes:\xe2\x80` for a token that is part of a character. */
  readonly text: string;
  readonly logprob: number | null;
  /** With `processed_logprobs`: the same after all processors and warpers; null for a token that they forbid. */
  readonly processed?: number | null;
}

/** The model's own prediction for one token. */
export interface TokenLogprob extends LikelyToken {
  /** The requested number of most likely tokens, best first. */
  readonly top: readonly LikelyToken[];
}

/**
 * An entry of `logprobs` or `prompt_logprobs` of a result; the events of a stream have them parsed. Throws
 * `UnexpectedReplyError`.
 */
export function parseTokenLogprob(value: unknown): TokenLogprob {
  const fields = objectAt(value, 'logprobs');
  const top = arrayAt(fields.top, 'logprobs.top').map(parseLikelyToken);
  const own = parseLikelyToken([fields.token, fields.logprob, fields.text]);
  if (fields.processed === undefined) return { ...own, top };
  const after = arrayAt(fields.top_processed, 'logprobs.top_processed').map(parseProcessed);
  return {
    ...own,
    processed: parseProcessed(fields.processed),
    top: top.map((one, at) => ({ ...one, processed: after[at] ?? null })),
  };
}

function parseProcessed(value: unknown): number | null {
  return orNull(value, (present) => numberAt(present, 'processed'));
}

/** The wire's triples: id, log-probability and text. */
function parseLikelyToken(value: unknown): LikelyToken {
  const entry = arrayAt(value, 'logprobs');
  if (entry.length < 3) throw unexpected('logprobs', 'an id, a log-probability and a text', value);
  const [token, logprob, text] = entry;
  return {
    token: numberAt(token, 'token'),
    text: stringAt(text, 'text'),
    logprob: orNull(logprob, (present) => numberAt(present, 'logprob')),
  };
}
