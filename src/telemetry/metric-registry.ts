/** Hand-written Prometheus metrics: integer adds while serving, text only when scraped. */

/** Values of a metric's labels, in the order of their names. */
export type LabelValues = readonly string[];

/** One number that only grows; whoever counts often keeps it and adds to it. */
export type Cell = { value: number };

/** Numbers that only grow, by label. */
export type Counter = { cell(labels: LabelValues): Cell };

/** Observations of one combination of labels. */
export type HistogramCell = { observe(value: number): void };

/** Counts of observations by upper bound. Units are part of the metric's name. */
export type Histogram = { cell(labels: LabelValues): HistogramCell };

/** One value read at scrape time. */
export type GaugeSample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** What describes a metric. */
export type MetricDescription = {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
};

/** Metrics of one process, rendered in the order of their creation. */
export type MetricRegistry = {
  counter(description: MetricDescription): Counter;
  histogram(description: MetricDescription, bounds: readonly number[]): Histogram;
  /** Shows the series of a counter under a second name. */
  alias(description: MetricDescription, samples: () => readonly GaugeSample[]): void;
  /** `read` is called at each scrape. */
  gauge(description: MetricDescription, read: () => number | readonly GaugeSample[]): void;
  /** Prometheus text exposition format 0.0.4. */
  render(): string;
};

/** Separates label values in a series key; it cannot occur in a header or a model name. */
const SEPARATOR = '\u0000';

/** Creates an empty registry. */
export function createMetricRegistry(): MetricRegistry {
  const renderers: (() => string)[] = [];
  const register = (description: MetricDescription, kind: string, lines: () => readonly string[]): void => {
    const head = `# HELP ${description.name} ${description.help}\n# TYPE ${description.name} ${kind}\n`;
    renderers.push(() => {
      const rendered = lines();
      return rendered.length === 0 ? '' : `${head}${rendered.join('\n')}\n`;
    });
  };
  return {
    counter: (description) => {
      const series = new Map<string, Cell>();
      register(description, 'counter', () =>
        [...series].map(([key, { value }]) => `${description.name}${labelText(description, key)} ${value}`),
      );
      return { cell: (labels) => cellOf(series, labels, () => ({ value: 0 })) };
    },
    alias: (description, samples) => {
      register(description, 'counter', () =>
        samples().map(({ labels, value }) => `${description.name}${pairs(labels)} ${value}`),
      );
    },
    histogram: (description, bounds) => createHistogram(description, bounds, register),
    gauge: (description, read) => {
      register(description, 'gauge', () => {
        const value = read();
        if (typeof value === 'number') return [`${description.name} ${value}`];
        return value.map((sample) => `${description.name}${pairs(sample.labels)} ${sample.value}`);
      });
    },
    render: () => renderers.map((render) => render()).join(''),
  };
}

type Register = (description: MetricDescription, kind: string, lines: () => readonly string[]) => void;

function cellOf<T>(series: Map<string, T>, labels: LabelValues, create: () => T): T {
  const key = labels.join(SEPARATOR);
  let cell = series.get(key);
  if (cell === undefined) {
    cell = create();
    series.set(key, cell);
  }
  return cell;
}

class Distribution implements HistogramCell {
  readonly #bounds: readonly number[];
  /** One more slot than there are bounds, for what is above the last. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let slot = 0;
    while (slot < this.#bounds.length && value > (this.#bounds[slot] ?? 0)) slot += 1;
    this.counts[slot] = (this.counts[slot] ?? 0) + 1;
    this.sum += value;
  }
}

function createHistogram(
  description: MetricDescription,
  bounds: readonly number[],
  register: Register,
): Histogram {
  const { name } = description;
  const series = new Map<string, Distribution>();
  register(description, 'histogram', () =>
    [...series].flatMap(([key, { counts, sum }]) => {
      let below = 0;
      const lines = bounds.map((bound, index) => {
        below += counts[index] ?? 0;
        return `${name}_bucket${labelText(description, key, `le="${bound}"`)} ${below}`;
      });
      const total = below + (counts[bounds.length] ?? 0);
      lines.push(
        `${name}_bucket${labelText(description, key, 'le="+Inf"')} ${total}`,
        `${name}_sum${labelText(description, key)} ${sum}`,
        `${name}_count${labelText(description, key)} ${total}`,
      );
      return lines;
    }),
  );
  return { cell: (labels) => cellOf(series, labels, () => new Distribution(bounds)) };
}

function labelText(description: MetricDescription, key: string, more?: string): string {
  const values = key.split(SEPARATOR);
  const named = (description.labels ?? []).map((name, index) => `${name}="${escape(values[index] ?? '')}"`);
  if (more) named.push(more);
  return named.length === 0 ? '' : `{${named.join(',')}}`;
}

function pairs(labels: Readonly<Record<string, string>>): string {
  const named = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return named.length === 0 ? '' : `{${named.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
