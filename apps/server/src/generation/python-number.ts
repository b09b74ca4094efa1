/** The forms of numbers that Python's `float(text)` reads, without infinity and NaN. */
const PYTHON_FLOAT = /^\s*[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?\s*$/i;

/** The number that Python's `float` reads from a text; null where it reads none, or infinity, or NaN. */
export function parsePythonFloat(text: string): number | null {
  // Bounds the time of the pattern; no number needs more characters.
  if (text.length > 100 || !PYTHON_FLOAT.test(text)) return null;
  const value = Number(text.replaceAll('_', ''));
  return Number.isFinite(value) ? value : null;
}
