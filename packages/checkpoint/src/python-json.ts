/**
 * JSON as Python's `json` module writes it: `NaN`, `Infinity` and `-Infinity` are numbers there. All three become
 * infinities here, which the readers of all fields refuse. Throws `SyntaxError`.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Strings are matched as a whole, so that their content is unchanged.
    const finite = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (part) => {
      if (part.startsWith('"')) return part;
      return part.startsWith('-') ? '-1e999' : '1e999';
    });
    if (finite === text) throw error;
    return JSON.parse(finite);
  }
}
