import type { ReactNode } from 'react';
import { formatCount, formatPercent } from './formats.ts';
import './meter.css';

/** Used, reserved and left of a limit. A null limit: there is none. */
export function Meter({
  label,
  used,
  reserved = 0,
  limit,
  unit = '',
  format = formatCount,
  children,
}: {
  readonly label: string;
  readonly used: number;
  /** Of runs that have not ended. */
  readonly reserved?: number;
  readonly limit: number | null;
  /** `tokens`, `runs`. */
  readonly unit?: string;
  readonly format?: (value: number) => string;
  /** After the figures: when it resets, how long it lasts. */
  readonly children?: ReactNode;
}) {
  const share = limit === null || limit === 0 ? 0 : Math.min(1, used / limit);
  const held = limit === null || limit === 0 ? 0 : Math.min(1 - share, reserved / limit);
  const tone = share + held >= 1 ? 'full' : share + held >= 0.8 ? 'near' : 'free';
  const amount = (value: number): string => `${format(value)} ${unit}`.trimEnd();
  const text = limit === null ? `${amount(used)}, no limit` : `${format(used)} of ${amount(limit)}`;
  return (
    <div className={`ui-meter ui-meter-${tone}`}>
      <div className="ui-meter-head">
        <span className="ui-meter-label">{label}</span>
        <span className="ui-number">{text}</span>
      </div>
      {limit !== null && (
        // biome-ignore lint/a11y/useSemanticElements: a meter element has one bar, this one has used and reserved.
        <div
          className="ui-meter-bar"
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={limit}
          aria-valuenow={Math.min(used, limit)}
          aria-valuetext={`${text}, ${formatPercent(share)}${reserved > 0 ? `; ${format(reserved)} reserved` : ''}`}
        >
          <span className="ui-meter-used" style={{ width: `${share * 100}%` }} />
          <span className="ui-meter-reserved" style={{ width: `${held * 100}%` }} />
        </div>
      )}
      {(reserved > 0 || children) && (
        <p className="ui-meter-foot">
          {reserved > 0 && (
            <>
              {format(reserved)} {unit} reserved by runs that have not ended{children ? ' · ' : ''}
            </>
          )}
          {children}
        </p>
      )}
    </div>
  );
}
