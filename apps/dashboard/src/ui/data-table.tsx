import type { ReactNode } from 'react';
import {
  Cell,
  Checkbox,
  Column,
  Row,
  type Selection,
  type SortDescriptor,
  Table,
  TableBody,
  TableHeader,
  TableLayout,
  TableLoadMoreItem,
  Virtualizer,
} from 'react-aria-components';
import { Button } from './button.tsx';
import { Icon } from './icons.tsx';
import { useIsPhone } from './media.ts';
import './data-table.css';
import './switch.css';

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

const ROW = 44;

/** Rows and columns with the keys of a grid; on a phone one card for each row. */
export function DataTable<Item>(props: DataTableProps<Item>) {
  const isPhone = useIsPhone();
  if (props.items.length === 0) return <div className="ui-table-empty">{props.empty ?? 'Nothing here.'}</div>;
  if (isPhone) return <Cards {...props} />;
  const table = <Grid {...props} />;
  if (!props.isVirtual) {
    return (
      <div className="ui-table-box">
        {table}
        <More {...props} />
      </div>
    );
  }
  return (
    <Virtualizer layout={TableLayout} layoutOptions={{ rowHeight: ROW, headingHeight: 36 }}>
      {table}
    </Virtualizer>
  );
}

function Grid<Item>({
  label,
  columns,
  items,
  idOf,
  onOpen,
  selected,
  onSelect,
  sort,
  onSort,
  isVirtual = false,
  more,
}: DataTableProps<Item>) {
  // Columns that share the rest of the width cut their text instead of pushing others out.
  const hasShares = columns.some(({ width }) => width?.endsWith('fr'));
  const byId = new Map(items.map((item) => [idOf(item), item]));
  const select = (keys: Selection): void =>
    onSelect?.(keys === 'all' ? new Set(byId.keys()) : new Set([...keys].map(String)));
  return (
    <Table
      aria-label={label}
      className={`ui-table ${isVirtual ? 'ui-table-virtual' : hasShares ? 'ui-table-fixed' : ''}`}
      selectionMode={onSelect ? 'multiple' : 'none'}
      selectedKeys={selected ?? []}
      onSelectionChange={select}
      {...(onOpen && {
        onRowAction: (key) => {
          const item = byId.get(String(key));
          if (item !== undefined) onOpen(item);
        },
      })}
      {...(sort && { sortDescriptor: sort as SortDescriptor })}
      onSortChange={({ column, direction }) => onSort?.({ column: String(column), direction })}
    >
      <TableHeader>
        {onSelect && (
          <Column width={40} minWidth={40} className="ui-table-head ui-table-check">
            <Tick />
          </Column>
        )}
        {columns.map(({ id, name, align = 'start', width, isSortable = false }, index) => (
          <Column
            key={id}
            id={id}
            isRowHeader={index === 0}
            allowsSorting={isSortable}
            className={`ui-table-head ui-table-${align}`}
            {...(isVirtual ? { width: virtualWidth(width) } : { style: widthOf(width) })}
          >
            {({ sortDirection }) => (
              <span className="ui-table-name">
                {name}
                {sortDirection && <Icon name={sortDirection === 'ascending' ? 'up' : 'down'} size={12} />}
              </span>
            )}
          </Column>
        ))}
      </TableHeader>
      <TableBody>
        {items.map((item) => (
          <Row key={idOf(item)} id={idOf(item)} className={onOpen ? 'ui-table-row ui-table-open' : 'ui-table-row'}>
            {onSelect && (
              <Cell className="ui-table-cell ui-table-check">
                <Tick />
              </Cell>
            )}
            {columns.map(({ id, cell, align = 'start' }) => (
              <Cell key={id} className={`ui-table-cell ui-table-${align}`}>
                {cell(item)}
              </Cell>
            ))}
          </Row>
        ))}
        {isVirtual && more && (
          <TableLoadMoreItem isLoading={more.isLoading} onLoadMore={more.onLoad} className="ui-table-more">
            <span className="ui-spinner" aria-hidden="true" />
            <span className="ui-hidden">Loading more</span>
          </TableLoadMoreItem>
        )}
      </TableBody>
    </Table>
  );
}

function Tick() {
  return (
    <Checkbox slot="selection" className="ui-check">
      {({ isSelected, isIndeterminate }) => (
        <span className="ui-box" aria-hidden="true">
          {isIndeterminate ? <Icon name="minus" size={12} /> : isSelected && <Icon name="check" size={12} />}
        </span>
      )}
    </Checkbox>
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
  const lines = columns.filter((column) => column !== title && !column.isWideOnly);
  return (
    <>
      <ul className="ui-cards" aria-label={label}>
        {items.map((item) => (
          <li key={idOf(item)} className="ui-card">
            {card ? (
              card(item)
            ) : (
              <>
                <div className="ui-card-title">{title?.cell(item)}</div>
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

function widthOf(width: string | undefined): { readonly width?: string } {
  return width === undefined || width.endsWith('fr') ? {} : { width };
}

/** The virtual layout counts in pixels and fractions. */
function virtualWidth(width: string | undefined): number | `${number}fr` | `${number}%` {
  if (width === undefined) return '1fr';
  return width.endsWith('rem') ? Number.parseFloat(width) * 16 : (width as `${number}fr`);
}
