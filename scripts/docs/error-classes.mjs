// The error classes of packages and applications with their codes, read from the source: the comment before a code
// is its documentation.

/**
 * Classes in `files` (`{ path, text }`) that extend Error and have a literal `code`, as
 * `{ name, path, summary, codes: [{ code, meaning }] }`. Throws for a code without a comment.
 */
export function readErrorClasses(files) {
  return files.flatMap(({ path, text }) =>
    readClasses(text, 'Error').flatMap(({ name, summary, body }) => {
      const codes = codesOf(path, text, body, summary);
      return codes === null ? [] : [{ name, path, summary, codes }];
    }),
  );
}

/** Exported classes in a source text that extend `base`, as `{ name, summary, body }`. */
export function readClasses(text, base) {
  return [...text.matchAll(/^export class (\w+) extends (\w+) \{(.*?)^\}/gms)].flatMap((found) => {
    const [, name, extended, body] = found;
    return extended === base ? [{ name, summary: commentBefore(text, found.index), body }] : [];
  });
}

function codesOf(path, text, body, summary) {
  const literal = /readonly code = '(\w+)'/.exec(body)?.[1];
  if (literal !== undefined) return [{ code: literal, meaning: summary }];
  const type = /readonly code: (\w+);/.exec(body)?.[1];
  const union = type && new RegExp(`export type ${type} =([^;]*);`).exec(text);
  if (!union) return null;
  const first = union.index + union[0].indexOf('=');
  return [...union[1].matchAll(/\|?\s*'(\w+)'/g)].map((found) => {
    const [, code] = found;
    const meaning = commentBefore(text, first + 1 + found.index);
    if (meaning === '') throw new Error(`${path}: expected a comment /** … */ in front of the code '${code}'`);
    return { code, meaning };
  });
}

/** The text of the TSDoc comment that ends right before `index`, on one line; empty when there is none. */
function commentBefore(text, index) {
  const before = text.slice(0, index).trimEnd();
  if (!before.endsWith('*/')) return '';
  const lines = before.slice(before.lastIndexOf('/**') + 3, -2).split('\n');
  return lines
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
}
