export type CsvCell = string | number;

/**
 * Lines of a CSV file (RFC 4180). A cell that a spreadsheet would run as a formula, for example a token name that another
 * user chose, is prefixed with an apostrophe, which marks it as text.
 */
export function csvLines(rows: readonly (readonly CsvCell[])[]): string {
  // Most texts of a page occur in many of its lines.
  const cells = new Map<string, string>();
  const cellOf = (value: CsvCell): string => {
    if (typeof value === 'number') return String(value);
    let cell = cells.get(value);
    if (cell === undefined) {
      cell = csvCell(value);
      cells.set(value, cell);
    }
    return cell;
  };
  return rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');
}

function csvCell(cell: string): string {
  // Spreadsheets skip leading white space before a formula.
  const text = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u.test(cell) ? `'${cell}` : cell;
  return /[",;\r\n\t']|^\s|\s$/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
