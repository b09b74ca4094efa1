/**
 * JSON as Python's `json` module writes it: `NaN`, `Infinity` and `-Infinity` are numbers there. All three become
 * infinities here, which the readers of all fields refuse. Throws `SyntaxError`.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const finite = finiteNumbers(text);
    if (finite === text) throw error;
    return JSON.parse(finite);
  }
}

/** The text with Python's names of numbers replaced outside of strings. */
function finiteNumbers(text: string): string {
  let result = '';
  let at = 0;
  for (;;) {
    const quote = text.indexOf('"', at);
    const outside = text.slice(at, quote === -1 ? text.length : quote);
    result += outside.replace(/-?\b(?:NaN|Infinity)\b/g, (name) => (name.startsWith('-') ? '-1e999' : '1e999'));
    if (quote === -1) return result;
    at = afterString(text, quote);
    result += text.slice(quote, at);
  }
}

/** The position after a string's closing quote, or the end of the text. */
function afterString(text: string, quote: number): number {
  let at = quote + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
