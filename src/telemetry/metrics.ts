import { createMetricRegistry } from './metric-registry.ts';
import type { Cell, GaugeSample, HistogramCell, MetricRegistry } from './metric-registry.ts';

/** The end of one request. */
export type RequestEnd = {
  /** The route's pattern, never the path: paths are chosen by clients. */
  readonly route: string;
  /** The public model name of the deployment, empty where none was reached. */
  readonly model: string;
  /** `ok`, `client_gone` or `error:<code>`. */
  readonly outcome: string;
  readonly durationMs: number;
  readonly firstTokenMs?: number | undefined;
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
};

/** A value of the whole process, read when scraped. */
export type ExtraGauge = {
  readonly name: string;
  readonly help: string;
  readonly read: () => number | readonly GaugeSample[];
};

/** Numbers of the whole process that only grow, read when scraped. */
export type ExtraCounter = Omit<ExtraGauge, 'read'> & { readonly read: () => readonly GaugeSample[] };

/** What the gateway counts. */
export type Metrics = {
  requestStarted(): void;
  requestEnded(end: RequestEnd): void;
  /** One try at an upstream: `ok` or an error's code. */
  upstreamAttempt(deployment: string, outcome: string): void;
  /** Prometheus text exposition format 0.0.4. */
  render(): string;
};

/** Seconds; dense below one for gateways, up to ten minutes for cold local models. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** What is counted per model. */
type ModelCells = { readonly prompt: Cell; readonly completion: Cell; readonly firstToken: HistogramCell };

/** What is counted per route, model and outcome. */
type EndCells = { readonly requests: Cell; readonly duration: HistogramCell };

/**
 * Creates the metrics of one process. Where LiteLLM has a metric of the same meaning, it is given
 * under LiteLLM's name too, so that its dashboards show something.
 *
 * @param more What others measure, in the same text format.
 */
export function createMetrics(
  gauges: readonly ExtraGauge[] = [],
  counters: readonly ExtraCounter[] = [],
  more: () => string = () => '',
): Metrics {
  const registry = createMetricRegistry();
  const endOf = createEndCells(registry);
  const modelOf = createModelCells(registry);
  const attemptOf = createAttemptCells(registry);
  const nameOf = createModelNames();
  let inFlight = 0;
  registry.gauge({ name: 'obelisk_in_flight_requests', help: 'Requests being served.' }, () => inFlight);
  registry.gauge(
    { name: 'litellm_in_flight_requests', help: 'As obelisk_in_flight_requests.' },
    () => inFlight,
  );
  registry.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }, () =>
    process.memoryUsage.rss(),
  );
  for (const { name, help, read } of gauges) registry.gauge({ name, help }, read);
  for (const { name, help, read } of counters) registry.alias({ name, help }, read);
  return {
    requestStarted() {
      inFlight += 1;
    },
    requestEnded(end) {
      inFlight -= 1;
      const name = nameOf(end.model);
      const { requests, duration } = endOf(name === end.model ? end : { ...end, model: name });
      requests.value += 1;
      duration.observe(end.durationMs / 1_000);
      if (end.model === '') return;
      const model = modelOf(name);
      if (end.firstTokenMs !== undefined) model.firstToken.observe(end.firstTokenMs / 1_000);
      model.prompt.value += end.promptTokens ?? 0;
      model.completion.value += end.completionTokens ?? 0;
    },
    upstreamAttempt: (deployment, outcome) => {
      attemptOf(deployment, outcome).value += 1;
    },
    render: () => registry.render() + more(),
  };
}

/** Models that are told apart. */
const MAX_MODELS = 1_000;
const OTHERS = '(other)';

/** A pattern of `model_list` serves whatever name a client sends, and every name costs series for ever. */
function createModelNames(): (model: string) => string {
  const known = new Set(['']);
  return (model) => {
    if (known.has(model)) return model;
    if (known.size >= MAX_MODELS) return OTHERS;
    known.add(model);
    return model;
  };
}

/** Looks the cells of a request up by its names, one map per name: no key is built while serving. */
function createEndCells(registry: MetricRegistry): (end: RequestEnd) => EndCells {
  const requests = registry.counter({
    name: 'obelisk_requests_total',
    help: 'Requests by how they ended.',
    labels: ['route', 'model', 'outcome'],
  });
  const duration = registry.histogram(
    { name: 'obelisk_request_duration_seconds', help: 'From request head to last byte.', labels: ['route'] },
    BOUNDS,
  );
  const known = new Map<string, Map<string, Map<string, EndCells>>>();
  return ({ route, model, outcome }) => {
    const byOutcome = inner(inner(known, route), model);
    let cells = byOutcome.get(outcome);
    if (cells === undefined) {
      cells = { requests: requests.cell([route, model, outcome]), duration: duration.cell([route]) };
      byOutcome.set(outcome, cells);
    }
    return cells;
  };
}

function createAttemptCells(registry: MetricRegistry): (deployment: string, outcome: string) => Cell {
  const attempts = registry.counter({
    name: 'obelisk_upstream_attempts_total',
    help: 'Tries at an upstream by how they ended.',
    labels: ['deployment', 'outcome'],
  });
  const known = new Map<string, Map<string, Cell>>();
  return (deployment, outcome) => {
    const byOutcome = inner(known, deployment);
    let cell = byOutcome.get(outcome);
    if (cell === undefined) {
      cell = attempts.cell([deployment, outcome]);
      byOutcome.set(outcome, cell);
    }
    return cell;
  };
}

function inner<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let found = maps.get(key);
  if (found === undefined) {
    found = new Map();
    maps.set(key, found);
  }
  return found;
}

function createModelCells(registry: MetricRegistry): (model: string) => ModelCells {
  const firstToken = registry.histogram(
    { name: 'obelisk_first_token_seconds', help: 'From request head to first data.', labels: ['model'] },
    BOUNDS,
  );
  const tokens = registry.counter({
    name: 'obelisk_tokens_total',
    help: 'Tokens as the upstreams counted them, else the pieces of the answer that came.',
    labels: ['model', 'kind'],
  });
  const known = new Map<string, ModelCells>();
  const samples = (kind: 'prompt' | 'completion') => (): readonly GaugeSample[] =>
    [...known].map(([model, cells]) => ({ labels: { model }, value: cells[kind].value }));
  registry.alias(
    { name: 'litellm_input_tokens_metric_total', help: 'As obelisk_tokens_total{kind="prompt"}.' },
    samples('prompt'),
  );
  registry.alias(
    { name: 'litellm_output_tokens_metric_total', help: 'As obelisk_tokens_total{kind="completion"}.' },
    samples('completion'),
  );
  return (model) => {
    let cells = known.get(model);
    if (cells === undefined) {
      cells = {
        prompt: tokens.cell([model, 'prompt']),
        completion: tokens.cell([model, 'completion']),
        firstToken: firstToken.cell([model]),
      };
      known.set(model, cells);
    }
    return cells;
  };
}
