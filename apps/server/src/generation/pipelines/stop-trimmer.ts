/**
 * Cuts a stream of text where the first stop string begins. What may be the beginning of one is held back until more
 * text shows whether it is; so a stop string never leaks, not even in part.
 */
export interface StopTrimmer {
  /** Text that is safe to show, now that `text` has come. */
  push(text: string): string;
  /** What was held back, when no more comes. */
  end(): string;
}

/** Empty stop strings stop nothing. */
export function createStopTrimmer(stops: readonly string[]): StopTrimmer {
  const wanted = stops.filter((stop) => stop !== '');
  let held = '';
  let stopped = false;
  return {
    push(text) {
      if (stopped) return '';
      held += text;
      const found = firstStop(held, wanted);
      stopped = found !== -1;
      const safe = stopped ? found : held.length - longestBeginning(held, wanted);
      const shown = held.slice(0, safe);
      held = stopped ? '' : held.slice(safe);
      return shown;
    },
    end() {
      const shown = held;
      held = '';
      return shown;
    },
  };
}

/** The whole text, cut where the first stop string begins. */
export function trimAtStop(text: string, stops: readonly string[]): string {
  const found = firstStop(
    text,
    stops.filter((stop) => stop !== ''),
  );
  return found === -1 ? text : text.slice(0, found);
}

function firstStop(text: string, stops: readonly string[]): number {
  let first = -1;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at !== -1 && (first === -1 || at < first)) first = at;
  }
  return first;
}

/** Length of the longest end of `text` that begins a stop string without being all of it. */
function longestBeginning(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(text.length - length);
    if (stops.some((stop) => stop.length > length && stop.startsWith(end))) return length;
  }
  return 0;
}
