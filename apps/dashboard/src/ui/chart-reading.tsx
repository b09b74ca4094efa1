import type { ChartBand, ChartSeries } from './chart-scale.ts';

/** The values at the cross-hair. */
export function Reading({
  place,
  index,
  series,
  format,
  isStacked,
  left,
  width,
  band,
}: {
  readonly place: string;
  readonly index: number;
  readonly series: readonly ChartSeries[];
  readonly format: (value: number) => string;
  readonly isStacked: boolean;
  readonly left: number;
  readonly width: number;
  readonly band?: ChartBand;
}) {
  const total = series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
  const isRight = left > width / 2;
  return (
    <div
      className="ui-chart-reading"
      aria-hidden="true"
      style={isRight ? { right: width - left + 12 } : { left: left + 12 }}
    >
      <p>{place}</p>
      {series.map(({ name, values }, row) => (
        <div key={name} className={`ui-series-${row + 1}`}>
          <span className="ui-chart-key" />
          <span className="ui-cut">{name}</span>
          <span className="ui-number">{shown(values[index], format)}</span>
        </div>
      ))}
      {band && (
        <div>
          <span className="ui-cut">{band.name}</span>
          <span className="ui-number">
            {shown(band.low[index], format)} – {shown(band.high[index], format)}
          </span>
        </div>
      )}
      {isStacked && series.length > 1 && (
        <div>
          <span>All</span>
          <span className="ui-number">{format(total)}</span>
        </div>
      )}
    </div>
  );
}

/** The same numbers as a table. */
export function ChartTable({
  label,
  places,
  series,
  format,
  band,
}: {
  readonly label: string;
  readonly places: readonly string[];
  readonly series: readonly ChartSeries[];
  readonly format: (value: number) => string;
  readonly band?: ChartBand | undefined;
}) {
  return (
    <div className="ui-chart-table">
      <table>
        <caption className="ui-hidden">{label}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {band && <th scope="col">{band.name}</th>}
          </tr>
        </thead>
        <tbody>
          {places.map((place, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two places may have the same name, at the end of summer time.
            <tr key={index}>
              <th scope="row">{place}</th>
              {series.map(({ name, values }) => (
                <td key={name}>{shown(values[index], format)}</td>
              ))}
              {band && (
                <td>
                  {shown(band.low[index], format)} – {shown(band.high[index], format)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A value, or a dash where none is known. */
export function shown(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}
