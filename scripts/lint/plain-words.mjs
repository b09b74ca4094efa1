// Check: words of `FORBIDDEN_WORDS` do not occur.
import { FORBIDDEN_WORDS, UNCHECKED_FILES } from './forbidden-words.mjs';

/** Every occurrence in `files` (`{ path, text }`), as `{ path, line, word, instead }`. Line 0 is the path itself. */
export function findForbiddenWords(files, words = FORBIDDEN_WORDS) {
  return files
    .filter(({ path }) => !UNCHECKED_FILES.some((pattern) => pattern.test(path)))
    .flatMap(({ path, text }) => [
      ...findInLine(path, 0, path, words),
      ...text.split('\n').flatMap((line, index) => findInLine(path, index + 1, line, words)),
    ]);
}

function findInLine(path, number, line, words) {
  return words.flatMap(({ pattern, instead }) => {
    const found = pattern.exec(line);
    return found === null ? [] : [{ path, line: number, word: found[0], instead }];
  });
}

/** Findings for `files` (`{ path, text }`). */
export function checkPlainWords(files, words = FORBIDDEN_WORDS) {
  return findForbiddenWords(files, words).map(describeOccurrence);
}

function describeOccurrence({ path, line, word, instead }) {
  return `${path}${line > 0 ? `:${line}` : ' (its name)'}: "${word}"; write: ${instead}`;
}
