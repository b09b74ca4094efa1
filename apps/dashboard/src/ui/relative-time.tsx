import { useEffect, useState } from 'react';
import { formatLasting, formatLocal, formatRelative, formatUtc } from './formats.ts';

const TICK_MS = 10_000;

/** `12 s ago`, with the exact time in UTC and here in its title. */
export function RelativeTime({ at, empty = 'never' }: { readonly at: Date | null; readonly empty?: string }) {
  const now = useNow();
  if (at === null) return <span className="ui-muted">{empty}</span>;
  return <Exact at={at} text={formatRelative(at, now)} />;
}

/** `for 9 min`: how long a state has lasted, after its name. */
export function Lasting({ since }: { readonly since: Date }) {
  return <Exact at={since} text={formatLasting(since, useNow())} />;
}

function Exact({ at, text }: { readonly at: Date; readonly text: string }) {
  return (
    <time dateTime={at.toISOString()} title={`${formatUtc(at)} · ${formatLocal(at)} here`}>
      {text}
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
