import { useEffect, useState } from 'react';
import { Focusable } from 'react-aria-components';
import { formatLocal, formatRelative, formatUtc } from './formats.ts';
import { Tip } from './tooltip.tsx';

const TICK_MS = 10_000;

/** `12 s ago`, with the exact time in UTC and here in its tooltip. */
export function RelativeTime({ at, empty = 'never' }: { readonly at: Date | null; readonly empty?: string }) {
  const now = useNow();
  if (at === null) return <span className="ui-muted">{empty}</span>;
  const exact = `${formatUtc(at)} · ${formatLocal(at)} here`;
  return (
    <Tip text={exact}>
      <Focusable>
        <time dateTime={at.toISOString()} className="ui-time" tabIndex={-1}>
          {formatRelative(at, now)}
        </time>
      </Focusable>
    </Tip>
  );
}

/** The time now, renewed some times a minute while the page is visible. */
function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(new Date());
    }, TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
