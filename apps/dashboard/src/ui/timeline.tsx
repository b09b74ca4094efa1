import { formatDuration } from './formats.ts';
import './timeline.css';

export interface TimelineStep {
  readonly name: string;
  /** Milliseconds since the first step. */
  readonly at: number;
  /** The name of the span from here to the next step: `queued`, `prompt`, `tokens`. */
  readonly span?: string;
  readonly tone?: 'quiet' | 'accent' | 'bad';
}

/** When each step of a run was reached, with the spans between them in proportion. */
export function Timeline({ label, steps }: { readonly label: string; readonly steps: readonly TimelineStep[] }) {
  const total = Math.max(1, (steps.at(-1)?.at ?? 0) - (steps[0]?.at ?? 0));
  const spans = steps.slice(0, -1).map((step, index) => {
    const ms = (steps[index + 1]?.at ?? step.at) - step.at;
    return { ...step, ms, share: ms / total };
  });
  return (
    <div className="ui-timeline">
      <div className="ui-timeline-bar" aria-hidden="true">
        {spans.map(({ name, share, tone = 'quiet' }) => (
          <span key={name} className={`ui-timeline-${tone}`} style={{ flexGrow: Math.max(0.01, share) }} />
        ))}
      </div>
      <ol aria-label={label}>
        {steps.map(({ name, at, span, tone = 'quiet' }, index) => (
          <li key={name}>
            <span className={`ui-timeline-mark ui-timeline-${tone}`} aria-hidden="true" />
            <span>{name}</span>
            <span className="ui-number ui-muted">{formatDuration(at)}</span>
            {span !== undefined && spans[index] !== undefined && (
              <span className="ui-timeline-then ui-number">
                {span} {formatDuration(spans[index].ms)}
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
