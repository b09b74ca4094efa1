import type { ReactNode } from 'react';
import { CopyButton } from './copy.tsx';
import './secret.css';

/** A secret that the server shows once: all of it, selectable, with a way to copy it. */
export function Secret({
  label,
  value,
  note,
  children,
}: {
  readonly label: string;
  readonly value: string;
  readonly note?: ReactNode;
  /** Further actions beside Copy, such as "I have copied it". */
  readonly children?: ReactNode;
}) {
  return (
    <div className="ui-secret">
      <span className="ui-hidden">{label}</span>
      <code className="ui-secret-value">{value}</code>
      <div className="ui-actions">
        <CopyButton text={value} label={label}>
          Copy
        </CopyButton>
        {children}
      </div>
      {note && <p className="ui-hint">{note}</p>}
    </div>
  );
}

/** A secret of which only the first characters are known: `gptj_4fQ••••••••`. */
export function MaskedSecret({ value }: { readonly value: string }) {
  const lastShown = [...value].findLastIndex((character) => !'*•'.includes(character));
  const shown = [...value].slice(0, lastShown + 1).join('');
  return (
    <code className="ui-masked">
      {shown}
      <span aria-hidden="true">••••••••</span>
      <span className="ui-hidden">, hidden after that</span>
    </code>
  );
}
