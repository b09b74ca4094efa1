export type CsvCell = string | number;

/**
 * Lines of a CSV file (RFC 4180). Text that a spreadsheet would run as a formula, for example the name of a token
 * somebody else chose, gets an apostrophe in front, which spreadsheets take for "this is text".
 */
export function csvLines(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(cell: CsvCell): string {
  if (typeof cell === 'number') return String(cell);
  // A line break or blank in front does not keep a spreadsheet from reading on.
  const text = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u.test(cell) ? `'${cell}` : cell;
  return /[",;\r\n\t']|^\s|\s$/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
