// Plain English: words of `FORBIDDEN_WORDS` occur nowhere. While a room still has some, `word-counts.json` states how
// many it may have at most.
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

/** `packages/decoding`, `apps/server`, `docs`, …; `.` for files of the project's own folder. */
function roomOf(path) {
  const parts = path.split('/');
  if (parts.length === 1) return '.';
  return parts[0] === 'packages' || parts[0] === 'apps' ? parts.slice(0, 2).join('/') : parts[0];
}

/** Occurrences by room. */
export function countByRoom(occurrences) {
  const counts = {};
  for (const { path } of occurrences) counts[roomOf(path)] = (counts[roomOf(path)] ?? 0) + 1;
  return counts;
}

/**
 * Findings of the check. A room with more occurrences than `allowed` lists every one of them: which are new is for
 * `git diff` to say.
 */
export function checkPlainWords(files, allowed, words = FORBIDDEN_WORDS) {
  const occurrences = findForbiddenWords(files, words);
  return Object.entries(countByRoom(occurrences)).flatMap(([room, count]) => {
    const limit = allowed[room] ?? 0;
    if (count <= limit) return [];
    return [
      `${room}: ${count} forbidden words, expected at most ${limit}`,
      ...occurrences.filter(({ path }) => roomOf(path) === room).map((one) => `  ${describeOccurrence(one)}`),
    ];
  });
}

export function describeOccurrence({ path, line, word, instead }) {
  return `${path}${line > 0 ? `:${line}` : ' (its name)'}: "${word}"; write: ${instead}`;
}
