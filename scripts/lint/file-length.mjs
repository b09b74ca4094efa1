// Check: no source file is longer than MAX_LINES.
const MAX_LINES = 400;
const SOURCE = /\.(?:ts|mts|mjs|js|tsx|py|sh)$/;

/** Findings for `files` (`{ path, text }`). */
export function checkFileLength(files) {
  return files
    .filter(({ path }) => SOURCE.test(path))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines, expected at most ${MAX_LINES}; split it by responsibility`);
}
