/** A gateway for tests: real handler, real sockets, scripted upstreams, a registry held in memory. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { createApp } from '../src/gateway/app.ts';
import type { AppDependencies } from '../src/gateway/app.ts';
import type { Route } from '../src/gateway/route-table.ts';
import type { RoutingSettings } from '../src/config/settings.ts';
import { Balancer } from '../src/router/balancer.ts';
import type { Deployment, ModelRegistry } from '../src/router/deployment.ts';
import type { LogFields, Logger } from '../src/telemetry/log.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import type { Handler, Headers } from '../src/wire/http.ts';
import { callInProcess } from '../src/wire/in-process.ts';
import { createNodeServer } from '../src/wire/node-server.ts';
import { createUpstreamClient } from '../src/wire/upstream-client.ts';

/** A deployment with the given fields over those of a local OpenAI-compatible chat model. */
export function deployment(fields: Partial<Deployment> = {}): Deployment {
  return {
    id: 'test',
    modelName: 'test-model',
    dialect: 'openai',
    model: 'upstream-model',
    baseUrl: 'http://127.0.0.1:1/v1',
    defaults: {},
    capabilities: { chat: true },
    source: 'test',
    local: true,
    ...fields,
  };
}

/** A registry of fixed deployments; names in `away` are known but cannot be served. */
export function registryOf(deployments: readonly Deployment[], away: readonly string[] = []): ModelRegistry {
  const groups = Map.groupBy(deployments, (entry) => entry.modelName);
  const first = (use: 'chat' | 'embedding'): Deployment | undefined =>
    deployments.find((entry) => entry.capabilities[use] === true);
  return {
    resolve(name) {
      const group = groups.get(name);
      if (group?.[0]) return { kind: 'found', deployment: group[0], group };
      if (away.includes(name)) {
        return { kind: 'away', model: name, host: 'http://127.0.0.1:11434', remedy: 'start "ollama serve"' };
      }
      return { kind: 'unknown', nearest: deployments.map((entry) => entry.modelName).slice(0, 3) };
    },
    list: () => deployments,
    defaultChat: () => first('chat'),
    defaultEmbedding: () => first('embedding'),
  };
}

/** A balancer without a configuration of its own, whose pauses are short. */
export function balancerFor(logger: Logger, settings: Partial<RoutingSettings> = {}): Balancer {
  return new Balancer({
    settings: { strategy: 'simple-shuffle', retries: 2, retryAfterMs: 0, timeouts: {}, ...settings },
    logger,
    monotonicMs: () => performance.now(),
    random: Math.random,
    pause: { leastMs: 5, mostMs: 20 },
  });
}

/** One line of the log. */
export type LogLine = { readonly level: string; readonly message: string; readonly fields: LogFields };

/** A gateway that listens. */
export type TestGateway = AsyncDisposable & {
  readonly handler: Handler;
  readonly routes: readonly Route[];
  readonly origin: string;
  readonly log: readonly LogLine[];
  /** Outcomes of the requests that have ended, in order. */
  outcomes(): readonly string[];
  metrics(): string;
};

/** Starts a gateway on a free port. */
export async function startGateway(
  deployments: readonly Deployment[],
  overrides: Partial<AppDependencies> = {},
): Promise<TestGateway> {
  const log: LogLine[] = [];
  const metrics = createMetrics();
  const upstream = createUpstreamClient();
  const unused = (): never => {
    throw new Error('the test has no such writer');
  };
  const dependencies: AppDependencies = {
    registry: registryOf(deployments),
    balancer: balancerFor(collect(log)),
    upstream,
    writers: { ollama: unused, vault: unused, extractive: unused },
    embedders: { ollama: unused },
    loaders: { ollama: unused },
    ollamaClient: unused,
    access: { allowedHosts: [], allowedOrigins: [] },
    status: () => ({ ready: true, details: { vaults: [] } }),
    metrics,
    logger: collect(log),
    clock: { monotonicMs: () => performance.now(), unixMs: () => Date.now() },
    instanceId: 'testinstance',
    randomId: () => randomUUID().replaceAll('-', ''),
    ...overrides,
  };
  const { handler, routes } = createApp(dependencies);
  const onError = (error: unknown): void => {
    throw error;
  };
  const server = createNodeServer({ handler, onError });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    handler,
    routes,
    origin: `http://127.0.0.1:${port}`,
    log,
    outcomes: () =>
      log.filter((line) => line.message === 'request').map((line) => String(line.fields['outcome'])),
    metrics: () => metrics.render(),
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await upstream.close();
    },
  };
}

function collect(log: LogLine[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      log.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A request of a test. */
export type Ask = {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Headers;
  /** Sent as JSON unless it is text already. */
  readonly body?: unknown;
};

/** What came back. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** Ways to reach a gateway; route tests run over each. */
export const TRANSPORTS: readonly {
  readonly name: string;
  readonly ask: (gateway: TestGateway, ask: Ask) => Promise<Answer>;
}[] = [
  { name: 'over a socket', ask: askSocket },
  { name: 'in process', ask: askInProcess },
];

/** Asks over a real socket. */
export async function askSocket(gateway: TestGateway, ask: Ask): Promise<Answer> {
  const body = bodyOf(ask);
  const response = await fetch(gateway.origin + ask.path, {
    method: methodOf(ask),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...ask.headers },
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  };
}

async function askInProcess(gateway: TestGateway, ask: Ask): Promise<Answer> {
  const body = bodyOf(ask);
  const response = await callInProcess(gateway.handler, {
    method: methodOf(ask),
    path: ask.path,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...ask.headers },
    ...(body === undefined ? {} : { body }),
  });
  const parts: Buffer[] = [];
  for await (const part of response.body) parts.push(part);
  return { status: response.status, headers: response.headers, text: Buffer.concat(parts).toString() };
}

function methodOf(ask: Ask): string {
  return ask.method ?? (ask.body === undefined ? 'GET' : 'POST');
}

function bodyOf({ body }: Ask): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}

/** A request as an upstream got it. */
export type Received = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** An OpenAI-compatible upstream of a test. */
export type TestUpstream = AsyncDisposable & {
  readonly baseUrl: string;
  readonly received: readonly Received[];
  /** Requests whose connection was closed before their answer was complete. */
  readonly abandoned: () => number;
};

/** Starts an upstream that answers as `script` says. */
export async function startUpstream(
  script: (response: ServerResponse, request: Received) => void,
): Promise<TestUpstream> {
  const received: Received[] = [];
  let abandoned = 0;
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) abandoned += 1;
    });
    incoming.on('end', () => {
      const request = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(parts).toString(),
      };
      received.push(request);
      script(outgoing, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    received,
    abandoned: () => abandoned,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The data of every event of a stream. */
export function dataOf(stream: string): readonly string[] {
  return stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice(6));
}
