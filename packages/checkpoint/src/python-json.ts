/**
 * JSON as Python's `json` module writes it: `NaN`, `Infinity` and `-Infinity` are numbers there. All three become
 * infinities here, which no field that this project reads accepts. Throws `SyntaxError`.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Strings are matched whole, so that a word inside one stays.
    const finite = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (part) => {
      if (part.startsWith('"')) return part;
      return part.startsWith('-') ? '-1e999' : '1e999';
    });
    if (finite === text) throw error;
    return JSON.parse(finite);
  }
}
