import { ObeliskError } from '../shared/errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Call } from './call.ts';

/** Whether the gateway serves, and what else there is to know of its state. */
export type Readiness = {
  readonly ready: boolean;
  /** Why it does not serve, for everybody: `overloaded` or `stopping`, and a sentence. */
  readonly trouble?: { readonly status: 'overloaded' | 'stopping'; readonly reason: string } | undefined;
  /** JSON for those who may know: vaults and their indexing, upstreams… Only with the key, where one is set. */
  readonly details: Readonly<Record<string, unknown>>;
};

/** Answers that the process lives, in LiteLLM's words. */
export function answerLiveness(call: Call): void {
  call.json(200, '"I\'m alive!"');
}

/** Creates `GET /health/readiness`: 200 while new requests are served, whatever is still being indexed. */
export function createReadinessRoute(status: () => Readiness): (call: Call) => void {
  return (call) => {
    const { ready, trouble, details } = status();
    const body = { status: ready ? 'ready' : 'starting', ...trouble, ...(call.authorized ? details : {}) };
    const serves = ready && trouble === undefined;
    call.json(serves ? 200 : 503, JSON.stringify(body), { 'cache-control': 'no-store' });
  };
}

/** Creates `GET /metrics`, in Prometheus text exposition format 0.0.4. */
export function createMetricsRoute(metrics: Metrics): (call: Call) => void {
  return (call) => {
    call.send(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, metrics.render());
  };
}

/** Answers `POST /v1/completions`: known, so that the reason is clearer than "no such route". */
export function refuseCompletions(): never {
  throw new ObeliskError('unsupported', 'text completions are not served yet; use POST /v1/chat/completions');
}
