/**
 * Make text from a file or a model safe for a terminal: control and bidirectional characters, which could move the cursor or
 * rename the window, become their code in angle brackets. `keepLines` keeps line breaks and tabs.
 */
export function printable(text: string, keepLines = false): string {
  return text.replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    keepLines && (character === '\n' || character === '\t')
      ? character
      : `<${character.charCodeAt(0).toString(16).padStart(2, '0')}>`,
  );
}

/** Cut text to `columns` characters; `…` replaces the end. */
export function cutTo(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
