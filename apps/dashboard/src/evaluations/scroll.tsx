import type { ReactNode } from 'react';

/** A wide table scrolls inside itself, by keys too. */
export function Scroll({ labelledBy, children }: { readonly labelledBy: string; readonly children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys scroll it.
    <section className="evaluations-scroll" aria-labelledby={labelledBy} tabIndex={0}>
      {children}
    </section>
  );
}
