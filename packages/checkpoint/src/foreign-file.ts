/** First bytes of files that a failed download saves under the name of a model file. */
const KINDS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^version https:\/\/git-lfs\.github\.com\/spec\//, 'a Git LFS pointer: run `git lfs pull` in the folder'],
  [/^\s*(?:<!doctype html|<html|<\?xml|<head|<body)/i, 'an HTML page: the download was redirected; download it again'],
];

/** Number of bytes that {@link foreignFileName} needs. */
export const FOREIGN_FILE_BYTES = 64;

/** Names a file that is a Git LFS pointer or an HTML page by its first bytes; null for anything else. */
export function foreignFileName(start: Uint8Array): string | null {
  const text = new TextDecoder().decode(start.subarray(0, FOREIGN_FILE_BYTES));
  return KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/**
 * Names a file of plain text, such as an error message that a download stored ("Entry not found"), by its first bytes;
 * null for anything else.
 */
export function plainTextName(start: Uint8Array): string | null {
  const text = new TextDecoder().decode(start.subarray(0, FOREIGN_FILE_BYTES));
  if (text.length < 8 || !/^[\t\n\r\x20-\x7e]+$/.test(text)) return null;
  return `a text that begins with ${JSON.stringify(text.slice(0, 40))}: the download failed; download it again`;
}
