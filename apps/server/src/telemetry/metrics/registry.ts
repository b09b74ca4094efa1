/**
 * Counters, gauges and histograms, rendered in Prometheus' text exposition format 0.0.4.
 *
 * Label values come from the program, never from a request, so the number of series is bounded. The registry drops
 * series beyond {@link MAX_SERIES} of one metric instead of growing without limit.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(amount: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

/** One line of a metric that is read at each scrape. */
export interface Sample {
  readonly value: number;
  readonly labels?: Labels;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
}

/** A histogram counted by another component: `counts[i]` values of at most `bounds[i]` and more than the bound before. */
export interface CountedHistogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly labels?: Labels;
}

const MAX_SERIES = 1000;

/** Lines that one metric adds to the page. */
type Collect = () => readonly string[] | Promise<readonly string[]>;

export class MetricsRegistry {
  readonly #metrics = new Map<string, Collect>();

  counter(metric: Metric): Counter {
    const series = new Map<string, number>();
    this.#register(metric, 'counter', () => [...series].map(([labels, value]) => line(metric.name, labels, value)));
    return {
      add(amount, labels = {}) {
        const key = labelText(labels);
        if (roomFor(series, key)) series.set(key, (series.get(key) ?? 0) + amount);
      },
    };
  }

  /** @param bounds upper bounds of the buckets, ascending; a bucket without upper bound is appended */
  histogram(metric: Metric, bounds: readonly number[]): Histogram {
    const series = new Map<string, { readonly counts: number[]; sum: number }>();
    this.#register(metric, 'histogram', () =>
      [...series].flatMap(([labels, { counts, sum }]) => histogramLines(metric.name, labels, { bounds, counts, sum })),
    );
    return {
      observe(value, labels = {}) {
        const key = labelText(labels);
        if (!roomFor(series, key)) return;
        const entry = series.get(key) ?? { counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 };
        const at = bounds.findIndex((bound) => value <= bound);
        entry.counts[at < 0 ? bounds.length : at]!++;
        entry.sum += value;
        series.set(key, entry);
      },
    };
  }

  /** A metric that `samples` computes at every scrape. When that fails, the page leaves it out. */
  read(metric: Metric, type: 'gauge' | 'counter', samples: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    this.#register(metric, type, async () =>
      (await samples()).map(({ value, labels = {} }) => line(metric.name, labelText(labels), value)),
    );
  }

  readHistogram(
    metric: Metric,
    histograms: () => readonly CountedHistogram[] | Promise<readonly CountedHistogram[]>,
  ): void {
    this.#register(metric, 'histogram', async () =>
      (await histograms()).flatMap((counted) => histogramLines(metric.name, labelText(counted.labels ?? {}), counted)),
    );
  }

  /** The names of all metrics, in order of registration. */
  get names(): readonly string[] {
    return [...this.#metrics.keys()];
  }

  /** The page that Prometheus scrapes. */
  async render(): Promise<string> {
    const blocks = await Promise.all(
      [...this.#metrics.values()].map(async (collect) => {
        try {
          return (await collect()).join('\n');
        } catch {
          // A store or an engine that does not answer must not hide the other metrics.
          return '';
        }
      }),
    );
    return `${blocks.filter((block) => block !== '').join('\n')}\n`;
  }

  #register({ name, help }: Metric, type: string, collect: Collect): void {
    if (this.#metrics.has(name)) throw new Error(`metric ${name} is registered twice`);
    this.#metrics.set(name, async () => {
      const lines = await collect();
      return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
    });
  }
}

function roomFor(series: ReadonlyMap<string, unknown>, key: string): boolean {
  return series.has(key) || series.size < MAX_SERIES;
}

function histogramLines(name: string, labels: string, { bounds, counts, sum }: CountedHistogram): readonly string[] {
  let cumulative = 0;
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, i) => {
    cumulative += counts[i] ?? 0;
    return line(`${name}_bucket`, joined(labels, `le="${number(bound)}"`), cumulative);
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, cumulative)];
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${number(value)}`;
}

function joined(labels: string, more: string): string {
  return labels === '' ? more : `${labels},${more}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`)
    .join(',');
}

function number(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : String(value);
}
