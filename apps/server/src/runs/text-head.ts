/** Letters of a prompt or an output that lists of runs show and searches find. */
const HEAD_LETTERS = 160;

/** The first letters of a text, in a form that the store can hold. */
export function textHead(text: string): string {
  return storableText(firstLetters(text));
}

/** Two texts that differ in case or in compatible forms of letters are equal in this form. At most `HEAD_LETTERS` letters. */
export function searchForm(text: string): string {
  return firstLetters(text.toLowerCase().normalize('NFKC'));
}

/** PostgreSQL text can hold neither U+0000 nor half of a surrogate pair: each is replaced by U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

function firstLetters(text: string): string {
  // No letter takes more than two UTF-16 units.
  return Array.from(text.slice(0, 2 * HEAD_LETTERS))
    .slice(0, HEAD_LETTERS)
    .join('');
}
