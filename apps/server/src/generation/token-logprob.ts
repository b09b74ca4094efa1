import type { BeamCandidate as Considered, TokenReport } from '@gptj-cloud/decoding';
import type { BeamCandidate, TokenLogprob } from '@gptj-cloud/protocol';
import { type Tokenizer, tokenText } from '@gptj-cloud/tokenizer';

/** Without the undefined values that the type of the schema allows: plain JSON. */
type ShownLogprob = Pick<TokenLogprob, 'token' | 'text' | 'logprob' | 'top'> & {
  readonly processed?: number | null;
  readonly top_processed?: (number | null)[];
};

/** The prediction for a token as results and events show it, with texts beside ids. */
export function toTokenLogprob(tokenizer: Tokenizer, { token, logprob, processed, top }: TokenReport): ShownLogprob {
  return {
    token,
    text: tokenText(tokenizer, token),
    logprob: finite(logprob),
    top: top.map((other) => [other.token, finite(other.logprob), tokenText(tokenizer, other.token)]),
    ...(processed === undefined
      ? {}
      : { processed: finite(processed ?? undefined), top_processed: top.map((other) => other.processed ?? null) }),
  };
}

/** A candidate of a beam search as results and events show it. */
export function toBeamCandidate(tokenizer: Tokenizer, { parent, token, score, kept }: Considered): BeamCandidate {
  return { parent, token, text: tokenText(tokenizer, token), score: finite(score), kept };
}

/** JSON has no infinities. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
