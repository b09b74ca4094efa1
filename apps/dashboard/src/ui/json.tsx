import { CopyButton } from './copy.tsx';
import './json.css';

/** A value as JSON, to read and to copy. */
export function Json({ value, label = 'JSON' }: { readonly value: unknown; readonly label?: string }) {
  const text = JSON.stringify(value, null, 2) ?? 'undefined';
  return (
    <div className="ui-json">
      <CopyButton text={text} label={`Copy ${label}`} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls needs the focus for the keyboard. */}
      <pre tabIndex={0}>
        {partsOf(text).map(({ kind, text: part }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never change their order.
          <span key={index} className={kind === null ? undefined : `ui-json-${kind}`}>
            {part}
          </span>
        ))}
      </pre>
    </div>
  );
}

type Kind = 'key' | 'text' | 'word' | null;

/** Beyond this many characters the text is not coloured: each part is an element. */
const MAX_COLOURED = 40_000;

function partsOf(text: string): readonly { readonly kind: Kind; readonly text: string }[] {
  if (text.length > MAX_COLOURED) return [{ kind: null, text }];
  return text.split('\n').flatMap((line, index, lines) => {
    const end = index < lines.length - 1 ? '\n' : '';
    const key = /^(\s*)("(?:[^"\\]|\\.)*")(: )/.exec(line);
    const rest = key === null ? line : line.slice(key[0].length);
    const parts: { readonly kind: Kind; readonly text: string }[] = [];
    if (key !== null)
      parts.push({ kind: null, text: key[1] ?? '' }, { kind: 'key', text: key[2] ?? '' }, { kind: null, text: ': ' });
    const trimmed = rest.trimStart();
    const kind: Kind = trimmed.startsWith('"') ? 'text' : /^[-\dtfn]/.test(trimmed) ? 'word' : null;
    parts.push({ kind, text: rest }, { kind: null, text: end });
    return parts;
  });
}
