import { useRef } from 'react';
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
import type { DataTableProps } from './data-table.tsx';
import { Icon } from './icons.tsx';
import { useRowKeys } from './row-keys.ts';
import './switch.css';

const ROW = 44;

/** The table of a `DataTable` on a wide page. */
export function DataGrid<Item>(props: DataTableProps<Item>) {
  if (!props.isVirtual) return <Rows {...props} />;
  return (
    <Virtualizer layout={TableLayout} layoutOptions={{ rowHeight: ROW, headingHeight: 36 }}>
      <Rows {...props} />
    </Virtualizer>
  );
}

function Rows<Item>({
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
  const grid = useRef<HTMLTableElement>(null);
  const toggle = (id: string): void => {
    const others = [...(selected ?? [])].filter((each) => each !== id);
    onSelect?.(new Set(others.length === selected?.size ? [...others, id] : others));
  };
  useRowKeys(grid, onSelect === undefined ? null : toggle);
  return (
    <Table
      ref={grid}
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
                {isSortable && !sortDirection && <Icon name="sort" size={12} />}
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

function widthOf(width: string | undefined): { readonly width?: string } {
  return width === undefined || width.endsWith('fr') ? {} : { width };
}

/** The virtual layout counts in pixels and fractions. */
function virtualWidth(width: string | undefined): number | `${number}fr` | `${number}%` {
  if (width === undefined) return '1fr';
  return width.endsWith('rem') ? Number.parseFloat(width) * 16 : (width as `${number}fr`);
}
