import { cutReasons } from './cut-reason.ts';
import type { TokenFacts } from './token-popover.tsx';
import './token-text.css';

/** What the hatch of alternatives means; each of them says it to screen readers. */
export function CutNote({
  token,
  parameters,
}: {
  readonly token: TokenFacts;
  /** Of the run. */
  readonly parameters: Readonly<Record<string, unknown>>;
}) {
  const reasons = cutReasons(token, parameters);
  if (reasons.length === 0) return null;
  return (
    <p className="ui-token-head ui-token-reasons" aria-hidden="true">
      <span className="ui-swatch ui-token-cut" />
      {reasons.join(', ')}
    </p>
  );
}
