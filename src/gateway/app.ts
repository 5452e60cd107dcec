import type { Balancer } from '../router/balancer.ts';
import type { ModelRegistry } from '../router/deployment.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Handler, HttpRequest } from '../wire/http.ts';
import type { UpstreamClient } from '../wire/upstream.ts';
import { OPEN_ADMISSION } from './admission.ts';
import type { Admission } from './admission.ts';
import { createChatRoute } from './chat-route.ts';
import type { ChatWriters } from './chat-route.ts';
import { createDispatcher } from './dispatch.ts';
import type { AccessRules } from './dispatch.ts';
import { createEmbeddingsRoute } from './embeddings-route.ts';
import type { Embedders } from './embeddings-route.ts';
import { DEFAULT_HEARTBEAT } from './event-stream.ts';
import type { Heartbeat } from './event-stream.ts';
import {
  answerLiveness,
  createMetricsRoute,
  createReadinessRoute,
  refuseCompletions,
} from './health-routes.ts';
import type { Readiness } from './health-routes.ts';
import { createModelRoute, createModelsRoute } from './models-route.ts';
import type { OllamaClientOf } from './ollama-api/catalogue.ts';
import type { Loaders } from './ollama-api/ollama-load.ts';
import { ollamaApiRoutes } from './ollama-api/ollama-routes.ts';
import { OpenCalls } from './open-calls.ts';
import { createRequestIds } from './request-id.ts';
import type { Route } from './route-table.ts';
import { createTargets } from './upstream-target.ts';

/** Time, as it is read. */
export type Clock = {
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
  /** Milliseconds since the epoch. */
  readonly unixMs: () => number;
};

/** Everything the gateway works with; built once, in `main.ts`. */
export type AppDependencies = {
  readonly registry: ModelRegistry;
  readonly balancer: Balancer;
  readonly upstream: UpstreamClient;
  readonly writers: ChatWriters;
  readonly embedders: Embedders;
  readonly loaders: Loaders;
  /** The hosts of Ollama's own models. */
  readonly ollamaClient: OllamaClientOf;
  readonly access: AccessRules;
  readonly status: () => Readiness;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Random text of letters and digits that tells this process from any other. */
  readonly instanceId: string;
  /** Random text for the ids of answers: `randomUUID` without its dashes. */
  readonly randomId: () => string;
  /** Routes of other modules: the page, administration. */
  readonly extraRoutes?: readonly Route[];
  readonly heartbeat?: Heartbeat;
  /** Whether new work is taken; it always is unless told. */
  readonly admission?: Admission;
  /** Names each request; unless told, by this handler's own count. */
  readonly idOf?: (request: HttpRequest) => string;
  /** Gets every call while it is open. */
  readonly calls?: OpenCalls;
};

/** The whole gateway. */
export type App = {
  /** Serves every request, on a socket and in process alike. */
  readonly handler: Handler;
  /** Every route, with who may call it. */
  readonly routes: readonly Route[];
};

/** Creates the gateway. */
export function createApp(dependencies: AppDependencies): App {
  const { metrics, logger, clock, calls = new OpenCalls() } = dependencies;
  const routes = gatewayRoutes(dependencies);
  const handler = createDispatcher({
    routes,
    access: dependencies.access,
    observer: { metrics, logger, calls, monotonicMs: clock.monotonicMs },
    admission: dependencies.admission ?? OPEN_ADMISSION,
    idOf: dependencies.idOf ?? createRequestIds(dependencies.instanceId),
    instanceId: dependencies.instanceId,
  });
  return { handler, routes };
}

function gatewayRoutes(dependencies: AppDependencies): readonly Route[] {
  const { registry, status, metrics } = dependencies;
  const options = {
    ...dependencies,
    ...dependencies.clock,
    heartbeat: dependencies.heartbeat ?? DEFAULT_HEARTBEAT,
    targetOf: createTargets(dependencies.instanceId),
  };
  const chat = createChatRoute(options);
  const embeddings = createEmbeddingsRoute(options);
  const models = createModelsRoute(registry);
  const model = createModelRoute(registry);
  const readiness = createReadinessRoute(status);
  const versioned = ['/v1', ''].flatMap((version): readonly Route[] => [
    { method: 'POST', path: `${version}/chat/completions`, access: 'key', handle: chat },
    { method: 'POST', path: `${version}/embeddings`, access: 'key', handle: embeddings },
    { method: 'POST', path: `${version}/completions`, access: 'key', handle: refuseCompletions },
    { method: 'GET', path: `${version}/models`, access: 'key', handle: models },
    { method: 'GET', path: `${version}/models/*`, access: 'key', handle: model },
    { method: 'GET', path: `${version}/health/liveliness`, access: 'open', handle: answerLiveness },
    { method: 'GET', path: `${version}/health/liveness`, access: 'open', handle: answerLiveness },
    { method: 'GET', path: `${version}/health/readiness`, access: 'open', handle: readiness },
    { method: 'GET', path: `${version}/health/ready`, access: 'open', handle: readiness },
    {
      method: 'GET',
      path: `${version}/metrics`,
      access: 'owner',
      always: true,
      handle: createMetricsRoute(metrics),
    },
  ]);
  return [...versioned, ...ollamaApiRoutes(options), ...(dependencies.extraRoutes ?? [])];
}
