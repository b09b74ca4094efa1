export type CsvCell = string | number;

/**
 * Lines of a CSV file (RFC 4180). A cell that a spreadsheet would run as a formula, for example a token name that another
 * user chose, is prefixed with an apostrophe, which marks it as text.
 */
export function csvLines(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(cell: CsvCell): string {
  if (typeof cell === 'number') return String(cell);
  // Spreadsheets skip leading white space before a formula.
  const text = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u.test(cell) ? `'${cell}` : cell;
  return /[",;\r\n\t']|^\s|\s$/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
