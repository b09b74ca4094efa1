import { useEffect, useState } from 'react';
import { formatLocal, formatRelative, formatUtc } from './formats.ts';

const TICK_MS = 10_000;

/** `12 s ago`, with the exact time in UTC and here in its title. */
export function RelativeTime({ at, empty = 'never' }: { readonly at: Date | null; readonly empty?: string }) {
  const now = useNow();
  if (at === null) return <span className="ui-muted">{empty}</span>;
  const exact = `${formatUtc(at)} · ${formatLocal(at)} here`;
  return (
    <time dateTime={at.toISOString()} title={exact}>
      {formatRelative(at, now)}
    </time>
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
