import type { ReactNode } from 'react';

/** A named group of parts on the page of all parts. */
export function Part({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <section className="ui-panel">
      <h2 className="ui-panel-head">{name}</h2>
      <div className="ui-stack">
        <div className="ui-actions">{children}</div>
      </div>
    </section>
  );
}
