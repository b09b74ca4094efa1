/** `json.dumps` of a list of lists of strings with Python's defaults: `", "` between items, everything but ASCII escaped. */
export function dumpPythonStrings(rows: readonly (readonly string[])[]): string {
  return `[${rows.map((row) => `[${row.map(dumpPythonString).join(', ')}]`).join(', ')}]`;
}

function dumpPythonString(text: string): string {
  // JSON.stringify leaves U+007F and above as they are, except for lone surrogates, which it escapes as Python does.
  return JSON.stringify(text).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
