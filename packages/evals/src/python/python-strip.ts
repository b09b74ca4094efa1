/**
 * Code points that `str.isspace` of Python 3.11 accepts. They differ from JavaScript's white space: U+001C to U+001F and U+0085
 * count, U+FEFF does not.
 */
const PYTHON_SPACES: ReadonlySet<number> = new Set([
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
  ...[0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a],
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
]);

/** `text.rstrip()`. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && PYTHON_SPACES.has(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/** `text.strip()`. */
export function strip(text: string): string {
  let start = 0;
  const end = stripEnd(text).length;
  while (start < end && PYTHON_SPACES.has(text.charCodeAt(start))) start++;
  return text.slice(start, end);
}
