import { scaleBand, scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState } from 'react';
import { announce } from './announce.tsx';
import { Button } from './button.tsx';
import { ChartTable, Reading, shown } from './chart-reading.tsx';
import {
  type ChartBand,
  type ChartSeries,
  maxOf,
  shownPlaces,
  stackOf,
  summaryOf,
  ticksFor,
  withOthers,
} from './chart-scale.ts';
import { formatShort } from './formats.ts';
import './chart.css';

export interface ChartProps {
  /** What the chart shows: `Tokens per day`. */
  readonly label: string;
  /** Names of the places on the x axis, in order: days, hours, steps. */
  readonly places: readonly string[];
  readonly series: readonly ChartSeries[];
  readonly kind?: 'bars' | 'lines';
  /** Bars upon each other. Default for bars. */
  readonly isStacked?: boolean;
  /** A range behind the marks, such as p50 to p95. */
  readonly band?: ChartBand;
  readonly format?: (value: number) => string;
  readonly height?: number;
  /** The last place is not over yet: it is hatched. */
  readonly isLastIncomplete?: boolean;
  /** The places are kinds of things, not moments: each has its name, in the middle below it. */
  readonly isCategories?: boolean;
  /** From this place on the values are forecast: dashed. */
  readonly forecastFrom?: number;
}

const MARGIN = { top: 8, right: 4, bottom: 22, left: 44 };
/** Names of categories take two lines. */
const CATEGORY_BOTTOM = 36;
const PHONE = 480;

/** Bars or lines over time: the pointer and ←/→ read values, and the same numbers stand in a table. */
export function Chart(props: ChartProps) {
  const { label, places, kind = 'bars', isStacked = kind === 'bars', format = formatShort } = props;
  const { isCategories = false, height = 208 } = props;
  const margin = isCategories ? { ...MARGIN, bottom: CATEGORY_BOTTOM } : MARGIN;
  const series = withOthers(props.series);
  const [isTable, setTable] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  const [box, width] = useWidth();
  const hatch = useId();
  const summary = summaryOf(label, places, series, format);
  const ticks = ticksFor(maxOf(series, isStacked, props.band?.high));
  const x = scaleBand<number>()
    .domain(places.map((_, index) => index))
    .range([margin.left, Math.max(margin.left + 1, width - margin.right)])
    .paddingInner(kind === 'bars' ? 0.25 : 0)
    .paddingOuter(kind === 'bars' ? 0.1 : 0);
  const y = scaleLinear()
    .domain([0, ticks.at(-1) ?? 1])
    .range([height - margin.bottom, margin.top]);
  const middle = (index: number): number => (x(index) ?? 0) + x.bandwidth() / 2;
  const read = (index: number): void => {
    const next = Math.min(places.length - 1, Math.max(0, index));
    setAt(next);
    announce(
      `${places[next]}: ${series.map(({ name, values }) => `${name} ${shown(values[next], format)}`).join(', ')}`,
    );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = places.length - 1;
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: (at ?? last + 1) - 1,
      ArrowRight: (at ?? -1) + 1,
      Home: 0,
      End: last,
    };
    const next = moves[event.key];
    if (event.key === 'Escape') setAt(null);
    if (next === undefined || places.length === 0) return;
    event.preventDefault();
    read(next);
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    const left = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const step = x.step();
    const index = Math.floor((left - margin.left) / step);
    setAt(index >= 0 && index < places.length ? index : null);
  };
  return (
    <figure className="ui-chart">
      <figcaption className="ui-chart-head">
        <span className="ui-label">{label}</span>
        {series.length > 1 && <Legend series={series} kind={kind} />}
        <Button look="quiet" size="small" icon={isTable ? 'chart' : 'list'} onPress={() => setTable(!isTable)}>
          {isTable ? 'As chart' : 'As table'}
        </Button>
      </figcaption>
      {isTable ? (
        <ChartTable {...props} series={series} format={format} />
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: an application of its own keys, named by the sentence about its values.
        <div
          ref={box}
          className="ui-chart-plot"
          role="group"
          aria-label={summary}
          aria-roledescription="chart"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read the values.
          tabIndex={0}
          style={{ height }}
          onKeyDown={onKeyDown}
          onPointerMove={onPointerMove}
          onPointerLeave={() => setAt(null)}
          onBlur={() => setAt(null)}
        >
          {width > 0 && (
            <svg width={width} height={height} aria-hidden="true">
              <defs>
                <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                  <rect width="3" height="6" className="ui-chart-hatch" />
                </pattern>
              </defs>
              {ticks.map((tick) => (
                <g key={tick}>
                  <line
                    className="ui-chart-grid"
                    x1={margin.left}
                    x2={width - margin.right}
                    y1={y(tick)}
                    y2={y(tick)}
                  />
                  <text className="ui-chart-tick" x={margin.left - 8} y={y(tick)} dy="0.32em" textAnchor="end">
                    {format(tick)}
                  </text>
                </g>
              ))}
              {isCategories
                ? places.map((place, index) => (
                    <text key={place} className="ui-chart-tick" y={height - 20} textAnchor="middle">
                      {place.split(' ').map((word, line) => (
                        <tspan key={word} x={middle(index)} dy={line === 0 ? 0 : 14}>
                          {word}
                        </tspan>
                      ))}
                    </text>
                  ))
                : shownPlaces(places.length, width < PHONE ? 3 : Math.max(3, Math.floor(width / 96))).map((index) => (
                    <text
                      key={index}
                      className="ui-chart-tick"
                      x={middle(index)}
                      y={height - 6}
                      textAnchor={
                        index === 0 && kind === 'lines' ? 'start' : index === places.length - 1 ? 'end' : 'middle'
                      }
                      {...(index === places.length - 1 && places.length > 1 && { x: width - margin.right })}
                    >
                      {places[index]}
                    </text>
                  ))}
              {props.band && <path className="ui-chart-band" d={bandPath(props.band, middle, y)} />}
              {kind === 'bars' ? (
                <Bars {...props} series={series} isStacked={isStacked} x={x} y={y} hatch={hatch} />
              ) : (
                <Lines series={series} middle={middle} y={y} forecastFrom={props.forecastFrom ?? null} />
              )}
              {at !== null && (
                <line
                  className="ui-chart-cross"
                  x1={middle(at)}
                  x2={middle(at)}
                  y1={margin.top}
                  y2={height - margin.bottom}
                />
              )}
            </svg>
          )}
          {at !== null && (
            <Reading
              place={places[at] ?? ''}
              index={at}
              series={series}
              format={format}
              isStacked={isStacked}
              left={middle(at)}
              width={width}
              {...(props.band && { band: props.band })}
            />
          )}
        </div>
      )}
    </figure>
  );
}

function Bars({
  series,
  isStacked,
  places,
  x,
  y,
  hatch,
  isLastIncomplete = false,
  forecastFrom,
}: ChartProps & {
  readonly isStacked: boolean;
  readonly x: ReturnType<typeof scaleBand<number>>;
  readonly y: (value: number) => number;
  readonly hatch: string;
}) {
  const stacks = isStacked
    ? stackOf(series)
    : series.map(({ values }) => values.map((value) => [0, value ?? 0] as const));
  const each = isStacked ? x.bandwidth() : x.bandwidth() / series.length;
  return stacks.map((bars, row) => (
    <g key={series[row]?.name} className={`ui-series-${row + 1}`}>
      {bars.map(([from, to], index) => {
        if (to === from) return null;
        const isOpen = (isLastIncomplete && index === places.length - 1) || (forecastFrom ?? Infinity) <= index;
        const box = {
          x: (x(index) ?? 0) + (isStacked ? 0 : each * row),
          y: y(to),
          width: Math.max(1, each - (isStacked ? 0 : 1)),
          // A surface line keeps stacked parts apart.
          height: Math.max(1, y(from) - y(to) - (from > 0 ? 1 : 0)),
        };
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: places keep their order.
          <g key={index}>
            <rect className={isOpen ? 'ui-chart-bar ui-chart-open' : 'ui-chart-bar'} rx="1" {...box} />
            {isOpen && <rect fill={`url(#${hatch})`} {...box} />}
          </g>
        );
      })}
    </g>
  ));
}

const DASHES = [undefined, '6 3', '2 3', '8 3 2 3', '10 4', '1 3'];

function Lines({
  series,
  middle,
  y,
  forecastFrom,
}: {
  readonly series: readonly ChartSeries[];
  readonly middle: (index: number) => number;
  readonly y: (value: number) => number;
  readonly forecastFrom: number | null;
}) {
  const path = line<readonly [number, number | null]>()
    .defined(([, value]) => value !== null)
    .x(([index]) => middle(index))
    .y(([, value]) => y(value ?? 0));
  return series.map(({ name, values }, row) => {
    const points = values.map((value, index) => [index, value] as const);
    const known = forecastFrom === null ? points : points.slice(0, forecastFrom);
    const ahead = forecastFrom === null ? [] : points.slice(Math.max(0, forecastFrom - 1));
    return (
      <g key={name} className={`ui-series-${row + 1}`}>
        <path className="ui-chart-line" d={path(known) ?? ''} strokeDasharray={DASHES[row]} />
        {ahead.length > 0 && <path className="ui-chart-line ui-chart-ahead" d={path(ahead) ?? ''} />}
        {/* A point without neighbours would be invisible. */}
        {known.map(([index, value]) =>
          value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null ? (
            <circle key={index} className="ui-chart-dot" cx={middle(index)} cy={y(value)} r="2.5" />
          ) : null,
        )}
      </g>
    );
  });
}

function bandPath({ low, high }: ChartBand, middle: (index: number) => number, y: (value: number) => number): string {
  const shape = area<readonly [number, number | null, number | null]>()
    .defined(([, from, to]) => from !== null && to !== null)
    .x(([index]) => middle(index))
    .y0(([, from]) => y(from ?? 0))
    .y1(([, , to]) => y(to ?? 0));
  return shape(low.map((from, index) => [index, from, high[index] ?? null] as const)) ?? '';
}

function Legend({ series, kind }: { readonly series: readonly ChartSeries[]; readonly kind: 'bars' | 'lines' }) {
  return (
    <ul className="ui-chart-legend">
      {series.map(({ name }, row) => (
        <li key={name} className={`ui-series-${row + 1}`}>
          <svg width="16" height="10" aria-hidden="true">
            {kind === 'bars' ? (
              <rect className="ui-chart-bar" x="3" width="10" height="10" rx="2" />
            ) : (
              <line className="ui-chart-line" x1="0" x2="16" y1="5" y2="5" strokeDasharray={DASHES[row]} />
            )}
          </svg>
          <span className="ui-cut">{name}</span>
        </li>
      ))}
    </ul>
  );
}

/** The width of the element in CSS pixels; 0 before the first layout. */
function useWidth(): readonly [React.RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  });
  return [box, width];
}
