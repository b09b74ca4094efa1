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
 * Rows under titles, each column as wide as its widest cell. When the table is wider than `width`, the widest
 * left-aligned columns that may be cut are cut. Lines have no trailing spaces; cells are made {@link printable}.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const cells = rows.map((row) => columns.map((_, at) => printable(row[at] ?? '')));
  const widths = columns.map((column, at) => Math.max(column.title.length, ...cells.map((row) => row[at]!.length)));
  shrink(widths, columns, width);
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

/** Make the widest left-aligned column that may be cut narrower, again and again, until the table fits or none is left. */
function shrink(widths: number[], columns: readonly Column[], width: number): void {
  const total = (): number => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  for (let excess = total() - width; excess > 0; excess = total() - width) {
    const open = columns.flatMap(({ align, isWhole }, at) =>
      align !== 'right' && isWhole !== true && widths[at]! > MIN_COLUMN_WIDTH ? [at] : [],
    );
    const [widest] = open.sort((a, b) => widths[b]! - widths[a]!);
    if (widest === undefined) return;
    const second = Math.max(MIN_COLUMN_WIDTH, ...open.slice(1).map((at) => widths[at]!));
    // Down to the next one, then both together.
    widths[widest] = Math.max(second - 1, widths[widest]! - excess, MIN_COLUMN_WIDTH);
  }
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
