/** The text before the first of `ends`; null where none occurs. */
export function cutAt(text: string, ends: readonly string[]): string | null {
  const found = ends.map((end) => text.indexOf(end)).filter((at) => at >= 0);
  return found.length === 0 ? null : text.slice(0, Math.min(...found));
}
