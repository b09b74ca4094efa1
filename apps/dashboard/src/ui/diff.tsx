import './diff.css';

export interface DiffToken {
  readonly text: string;
}

/** A text of tokens, marked from the first one that differs from another text on. */
export function DiffText({
  tokens,
  from,
}: {
  readonly tokens: readonly DiffToken[];
  /** Index of the first token that differs; null: none does. */
  readonly from: number | null;
}) {
  const cut = from ?? tokens.length;
  const textOf = (part: readonly DiffToken[]): string => part.map((token) => token.text).join('');
  return (
    <>
      <span>{textOf(tokens.slice(0, cut))}</span>
      {cut < tokens.length && <mark className="ui-diff-first">{textOf(tokens.slice(cut, cut + 1))}</mark>}
      {cut + 1 < tokens.length && <span className="ui-diff-rest">{textOf(tokens.slice(cut + 1))}</span>}
    </>
  );
}
