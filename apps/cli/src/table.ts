import { cutTo, printable } from './printable.ts';

export interface Column {
  readonly title: string;
  /** Default `left`. */
  readonly align?: 'left' | 'right';
  /** Never cut: for ids and other values that people copy. */
  readonly isWhole?: boolean;
}

const GAP = '  ';
const MIN_COLUMN_WIDTH = 8;

/**
 * Rows under titles, each column as wide as its widest cell. When the table is wider than `width`, the widest left-aligned
 * column that may be cut is cut. Lines have no trailing spaces; cells are made {@link printable}.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const cells = rows.map((row) => columns.map((_, at) => printable(row[at] ?? '')));
  const widths = columns.map((column, at) => Math.max(column.title.length, ...cells.map((row) => row[at]!.length)));
  const excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width;
  const widest = columns.reduce(
    (best, { align, isWhole }, at) =>
      align !== 'right' && isWhole !== true && (best < 0 || widths[at]! > widths[best]!) ? at : best,
    -1,
  );
  if (excess > 0 && widest >= 0) widths[widest] = Math.max(MIN_COLUMN_WIDTH, widths[widest]! - excess);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => {
        const fitted = cutTo(cell, widths[at]!);
        return columns[at]!.align === 'right' ? fitted.padStart(widths[at]!) : fitted.padEnd(widths[at]!);
      })
      .join(GAP)
      .trimEnd();
  const rule = widths.map((each) => '─'.repeat(each)).join(GAP);
  return [line(columns.map((column) => column.title)), rule, ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** Names on the left, values on the right. Pairs with an empty value are left out. */
export function renderPairs(pairs: readonly (readonly [name: string, value: string])[], width: number): string {
  const shown = pairs.filter(([, value]) => value !== '');
  const nameWidth = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => {
      const room = Math.max(MIN_COLUMN_WIDTH, width - nameWidth - GAP.length);
      return `${printable(name).padEnd(nameWidth)}${GAP}${cutTo(printable(value), room)}\n`;
    })
    .join('');
}
