/**
 * Text from a file or a model, safe to show in a terminal: control characters, which could move the cursor, recolour or
 * rename the window, become their code in brackets. Line breaks and tabs pass where `keepLines` is set.
 */
export function printable(text: string, keepLines = false): string {
  return text.replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    keepLines && (character === '\n' || character === '\t')
      ? character
      : `<${character.charCodeAt(0).toString(16).padStart(2, '0')}>`,
  );
}

/** At most `columns` wide, the end replaced by `…`. */
export function cutTo(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
