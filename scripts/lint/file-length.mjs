// A source file is short enough to be read at once.
const MAX_LINES = 400;
const SOURCE = /\.(?:ts|mts|mjs|js|tsx|py|sh)$/;

/** Findings for `files` (`{ path, text }`). */
export function checkFileLength(files) {
  return files
    .filter(({ path }) => SOURCE.test(path))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(
      ({ path, lines }) =>
        `${path}: ${lines} lines, expected at most ${MAX_LINES}; move the second thing it does into a file`,
    );
}
