import { type ReactNode, useEffect, useState } from 'react';

/** Counts down once a second, then shows `children`. `text` writes the rest, for example `0:27`. */
export function Countdown({
  ms,
  text = (left) => left,
  onEnd,
  children,
}: {
  readonly ms: number;
  readonly text?: (left: string) => string;
  readonly onEnd?: () => void;
  readonly children?: ReactNode;
}) {
  const left = useSecondsLeft(ms, onEnd);
  if (left <= 0) return children;
  return (
    <span className="ui-number" role="timer">
      {text(clock(left))}
    </span>
  );
}

/** Seconds until `ms` after the first render with this value, rounded up; 0 afterwards. */
export function useSecondsLeft(ms: number, onEnd?: () => void): number {
  const [end, setEnd] = useState(() => ({ ms, at: Date.now() + ms }));
  const [now, setNow] = useState(() => Date.now());
  if (end.ms !== ms) setEnd({ ms, at: Date.now() + ms });
  const left = Math.max(0, Math.ceil((end.at - now) / 1000));
  const isOver = left === 0;
  useEffect(() => {
    if (isOver) {
      onEnd?.();
      return;
    }
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [isOver, onEnd]);
  return left;
}

/** `0:27`, `12:05`, `1:00:00`. */
function clock(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':');
}
