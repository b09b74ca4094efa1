import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import './sparkline.css';

const WIDTH = 160;
const HEIGHT = 32;
const INSET = 2;

/** The course of a value without axes, beside its number. Null: not known then. `summary` is what a screen reader hears. */
export function Sparkline({
  values,
  max,
  summary,
}: {
  readonly values: readonly (number | null)[];
  /** Value at the upper edge. Default: the largest one. */
  readonly max?: number;
  readonly summary: string;
}) {
  const top = max ?? Math.max(1, ...values.map((value) => value ?? 0));
  const x = scaleLinear()
    .domain([0, Math.max(1, values.length - 1)])
    .range([INSET, WIDTH - INSET]);
  const y = scaleLinear()
    .domain([0, top])
    .range([HEIGHT - INSET, INSET]);
  const isKnown = (value: number | null): value is number => value !== null;
  const at = (_: number | null, index: number): number => x(index);
  const height = (value: number | null): number => y(value ?? 0);
  const stroke = line<number | null>().defined(isKnown).x(at).y(height)([...values]);
  const fill = area<number | null>().defined(isKnown).x(at).y0(y(0)).y1(height)([...values]);
  return (
    <svg
      className="ui-sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={summary}
    >
      <path className="ui-sparkline-ground" d={`M${INSET} ${y(0)}H${WIDTH - INSET}`} />
      {values.length > 1 && (
        <>
          <path className="ui-sparkline-fill" d={fill ?? ''} />
          <path className="ui-sparkline-line" d={stroke ?? ''} />
        </>
      )}
    </svg>
  );
}
