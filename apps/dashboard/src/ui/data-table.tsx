import { Fragment, lazy, type ReactElement, type ReactNode, Suspense } from 'react';
import { Button } from './button.tsx';
import { Icon } from './icons.tsx';
import { useIsPhone } from './media.ts';
import { Skeleton } from './states.tsx';
import './data-table.css';

export interface TableColumn<Item> {
  readonly id: string;
  readonly name: string;
  readonly cell: (item: Item) => ReactNode;
  /** Figures stand at the right. */
  readonly align?: 'start' | 'end';
  /** CSS width, such as `7rem` or `2fr`. */
  readonly width?: `${number}rem` | `${number}fr` | `${number}%`;
  readonly isSortable?: boolean;
  /** On a phone: the heading of the card. Default: the first column. */
  readonly isTitle?: boolean;
  /** Not on the card of a phone. */
  readonly isWideOnly?: boolean;
}

export interface DataTableProps<Item> {
  readonly label: string;
  readonly columns: readonly TableColumn<Item>[];
  readonly items: readonly Item[];
  readonly idOf: (item: Item) => string;
  /** Enter or a press on a row. */
  readonly onOpen?: (item: Item) => void;
  readonly selected?: ReadonlySet<string>;
  readonly onSelect?: (ids: ReadonlySet<string>) => void;
  readonly sort?: { readonly column: string; readonly direction: 'ascending' | 'descending' };
  readonly onSort?: (sort: { readonly column: string; readonly direction: 'ascending' | 'descending' }) => void;
  readonly empty?: ReactNode;
  /** Only visible rows are in the page: for more than some hundreds. The table then scrolls inside itself. */
  readonly isVirtual?: boolean;
  /** On a phone in place of columns as lines. */
  readonly card?: (item: Item) => ReactNode;
  /** The list goes on: loaded when a virtual table is scrolled to its end, else by a button. */
  readonly more?: { readonly isLoading: boolean; readonly onLoad: () => void };
}

// The keys of a grid are a large part of a page's code, so rows show as grey lines until it is there.
const Grid = lazy(async () => ({ default: (await import('./data-grid.tsx')).DataGrid })) as <Item>(
  props: DataTableProps<Item>,
) => ReactElement;

/** Rows and columns with the keys of a grid; on a phone one card for each row. */
export function DataTable<Item>(props: DataTableProps<Item>) {
  const { items, empty, isVirtual = false } = props;
  const isPhone = useIsPhone();
  if (items.length === 0) return <div className="ui-table-empty">{empty ?? 'Nothing here.'}</div>;
  if (isPhone) return <Cards {...props} />;
  const height = `calc(2.25rem + ${items.length} * var(--row))`;
  const waiting = (
    <div className="ui-table-waiting" style={{ height }}>
      <Skeleton rows={Math.min(items.length, 12) + 1} />
    </div>
  );
  const grid = (
    <Suspense fallback={waiting}>
      <Grid {...props} />
    </Suspense>
  );
  if (isVirtual) return grid;
  return (
    // The grid is empty for a moment before it has its rows.
    <div className="ui-table-box" style={{ minHeight: height }}>
      {grid}
      <More {...props} />
    </div>
  );
}

function More<Item>({ more }: DataTableProps<Item>) {
  if (more === undefined) return null;
  return (
    <div className="ui-table-more">
      <Button isPending={more.isLoading} onPress={more.onLoad}>
        Show more
      </Button>
    </div>
  );
}

function Cards<Item>(props: DataTableProps<Item>) {
  const { label, columns, items, idOf, onOpen, card } = props;
  const title = columns.find(({ isTitle }) => isTitle) ?? columns[0];
  const others = columns.filter((column) => column !== title && !column.isWideOnly);
  // A column without a name holds the actions of the row.
  const actions = others.filter(({ name }) => name === '');
  const lines = others.filter(({ name }) => name !== '');
  return (
    <>
      <ul className="ui-cards" aria-label={label}>
        {items.map((item) => (
          <li key={idOf(item)} className="ui-card">
            {card ? (
              card(item)
            ) : (
              <>
                <div className="ui-card-head">
                  <div className="ui-card-title">{title?.cell(item)}</div>
                  {actions.map(({ id, cell }) => (
                    <Fragment key={id}>{cell(item)}</Fragment>
                  ))}
                </div>
                <dl>
                  {lines.map(({ id, name, cell }) => (
                    <div key={id}>
                      <dt>{name}</dt>
                      <dd>{cell(item)}</dd>
                    </div>
                  ))}
                </dl>
              </>
            )}
            {onOpen && (
              <button type="button" className="ui-card-open" onClick={() => onOpen(item)}>
                <span className="ui-hidden">Open</span>
                <Icon name="right" />
              </button>
            )}
          </li>
        ))}
      </ul>
      <More {...props} />
    </>
  );
}
