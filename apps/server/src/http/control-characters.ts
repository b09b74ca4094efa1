/** Control characters, which no id, path, name or header needs, and which text columns and logs cannot hold. */

/** Position of the first control character of a text, or -1. Line ends and tabs are allowed in texts of several lines. */
export function controlCharacterAt(text: string, allowed: 'none' | 'lines' = 'none'): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x20 && (code < 0x7f || code > 0x9f)) continue;
    if (allowed === 'lines' && (code === 0x09 || code === 0x0a || code === 0x0d)) continue;
    return at;
  }
  return -1;
}

/** `U+0000` */
export function codePointName(text: string, at: number): string {
  return `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
