import type { ReactNode } from 'react';
import { formatPercent } from './formats.ts';
import { Icon } from './icons.tsx';
import './figure.css';

/** One number with its name, and how it compares with the time before. */
export function Figure({
  name,
  value,
  unit,
  change,
  better = 'none',
  note,
}: {
  readonly name: string;
  readonly value: ReactNode;
  readonly unit?: string;
  /** Fraction by which the value grew: 0.12 for 12 %. Null: nothing to compare with. */
  readonly change?: number | null;
  /** Which direction is good news; none: neither. */
  readonly better?: 'up' | 'down' | 'none';
  readonly note?: ReactNode;
}) {
  const direction = change === undefined || change === null || change === 0 ? null : change > 0 ? 'up' : 'down';
  const tone = direction === null || better === 'none' ? 'quiet' : direction === better ? 'ok' : 'bad';
  return (
    <div className="ui-figure">
      <dt>{name}</dt>
      <dd>
        <span className="ui-figure-value">
          {value}
          {unit !== undefined && <span className="ui-figure-unit"> {unit}</span>}
        </span>
        {direction !== null && (
          <span className={`ui-figure-change ui-figure-${tone}`}>
            <Icon name={direction} size={12} />
            <span className="ui-hidden">{direction === 'up' ? 'more by ' : 'less by '}</span>
            {formatPercent(Math.abs(change ?? 0))}
          </span>
        )}
        {note && <span className="ui-figure-note">{note}</span>}
      </dd>
    </div>
  );
}

/** A row of figures. */
export function Figures({ children }: { readonly children: ReactNode }) {
  return <dl className="ui-figures">{children}</dl>;
}
