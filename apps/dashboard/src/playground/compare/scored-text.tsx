import { formatChance, heatOf } from '../../ui/token-scale.ts';
import '../../ui/token-text.css';

/** A text coloured by the chances of its tokens under another column. */
export function ScoredText({
  tokens,
  logprobs,
  letter,
}: {
  readonly tokens: readonly { readonly text: string }[];
  /** Null: not possible there. It may be shorter than the text. */
  readonly logprobs: readonly (number | null)[];
  /** Of the other column. */
  readonly letter: string;
}) {
  return tokens.map(({ text }, at) => {
    const logprob = logprobs[at];
    const chance = logprob === null ? 'not possible' : formatChance(logprob ?? null);
    const look =
      logprob === null ? 'ui-token-cut' : `ui-heat-${heatOf({ logprob: logprob ?? null, top: [] }, 'probability')}`;
    return (
      <span
        // biome-ignore lint/suspicious/noArrayIndexKey: a token keeps its place.
        key={at}
        {...(logprob !== undefined && { className: look, title: `${chance} under ${letter}` })}
      >
        {text}
      </span>
    );
  });
}
