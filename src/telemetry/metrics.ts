import { createMetricRegistry } from './metric-registry.ts';
import type { Counter, GaugeSample, Histogram, MetricRegistry } from './metric-registry.ts';

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

/**
 * Creates the metrics of one process. Where LiteLLM has a metric of the same meaning, it is given
 * under LiteLLM's name too, so that its dashboards show something.
 */
export function createMetrics(gauges: readonly ExtraGauge[] = []): Metrics {
  const registry = createMetricRegistry();
  const series = createSeries(registry);
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
  return {
    requestStarted() {
      inFlight += 1;
    },
    requestEnded(end) {
      inFlight -= 1;
      series.requests.add([end.route, end.model, end.outcome]);
      series.duration.observe([end.route], end.durationMs / 1_000);
      if (end.firstTokenMs !== undefined) series.firstToken.observe([end.model], end.firstTokenMs / 1_000);
      if (end.promptTokens !== undefined) {
        series.tokens.add([end.model, 'prompt'], end.promptTokens);
        series.inputTokens.add([end.model], end.promptTokens);
      }
      if (end.completionTokens !== undefined) {
        series.tokens.add([end.model, 'completion'], end.completionTokens);
        series.outputTokens.add([end.model], end.completionTokens);
      }
    },
    upstreamAttempt: (deployment, outcome) => series.attempts.add([deployment, outcome]),
    render: () => registry.render(),
  };
}

type Series = {
  readonly requests: Counter;
  readonly duration: Histogram;
  readonly firstToken: Histogram;
  readonly tokens: Counter;
  readonly inputTokens: Counter;
  readonly outputTokens: Counter;
  readonly attempts: Counter;
};

function createSeries(registry: MetricRegistry): Series {
  return {
    requests: registry.counter({
      name: 'obelisk_requests_total',
      help: 'Requests by how they ended.',
      labels: ['route', 'model', 'outcome'],
    }),
    duration: registry.histogram(
      {
        name: 'obelisk_request_duration_seconds',
        help: 'From request head to last byte.',
        labels: ['route'],
      },
      BOUNDS,
    ),
    firstToken: registry.histogram(
      { name: 'obelisk_first_token_seconds', help: 'From request head to first data.', labels: ['model'] },
      BOUNDS,
    ),
    tokens: registry.counter({
      name: 'obelisk_tokens_total',
      help: 'Tokens as the upstreams counted them.',
      labels: ['model', 'kind'],
    }),
    inputTokens: registry.counter({
      name: 'litellm_input_tokens_metric_total',
      help: 'As obelisk_tokens_total{kind="prompt"}.',
      labels: ['model'],
    }),
    outputTokens: registry.counter({
      name: 'litellm_output_tokens_metric_total',
      help: 'As obelisk_tokens_total{kind="completion"}.',
      labels: ['model'],
    }),
    attempts: registry.counter({
      name: 'obelisk_upstream_attempts_total',
      help: 'Tries at an upstream by how they ended.',
      labels: ['deployment', 'outcome'],
    }),
  };
}
