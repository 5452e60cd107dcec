import type { LookupFunction } from 'node:net';
import { CoarseClock } from './coarse-clock.ts';
import { CodecConnection, createCodecParts } from './http1/client-connection.ts';
import type { CodecParts } from './http1/client-connection.ts';
import { RequestFormatter } from './http1/client-request.ts';
import { ConnectionPool } from './upstream-connection.ts';
import type { Connection } from './upstream-connection.ts';
import { Endpoint } from './upstream-endpoint.ts';
import type { EndpointOptions } from './upstream-endpoint.ts';
import { ClientClosed } from './upstream-error.ts';
import { ActiveExchange } from './upstream-exchange.ts';
import type { ExchangePlace } from './upstream-exchange.ts';
import { createLookup } from './upstream-lookup.ts';
import { NodeConnection } from './upstream-node-connection.ts';
import { receive } from './upstream-response.ts';
import type {
  Exchange,
  UpstreamClient,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamSink,
} from './upstream.ts';

/** Resolution of the four clocks, in milliseconds. */
const TICK_MS = 50;
/** How often idle connections are looked at, in milliseconds. */
const SWEEP_MS = 1_000;

/** Settings of an upstream client. */
export type UpstreamClientOptions = {
  /** Who speaks HTTP: our own codec, or node:http's client. Both keep the same rules. */
  readonly transport?: 'codec' | 'node';
  /** Resolution of the four clocks, in milliseconds; 50 unless tests need a finer one. */
  readonly tickMs?: number;
  /** How often idle connections are looked at, in milliseconds; 1 s unless tests need it sooner. */
  readonly sweepMs?: number;
  /** PEM certificates to trust instead of the system's. */
  readonly certificates?: string;
  /** Resolves host names; the system's resolver unless tests need another. */
  readonly lookup?: LookupFunction;
};

class PooledClient implements UpstreamClient, ExchangePlace {
  readonly clock: CoarseClock;
  readonly #sweeper: CoarseClock;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #formatter = new RequestFormatter();
  readonly #codec: CodecParts | undefined;
  readonly #options: EndpointOptions;
  #closed = false;

  constructor(options: UpstreamClientOptions) {
    this.clock = new CoarseClock(options.tickMs ?? TICK_MS);
    this.#sweeper = new CoarseClock(options.sweepMs ?? SWEEP_MS);
    if (options.transport !== 'node') this.#codec = createCodecParts(this.#formatter);
    const { certificates, lookup } = options;
    this.#options = {
      lookup: createLookup(lookup === undefined ? {} : { lookup }),
      ...(certificates === undefined ? {} : { certificates }),
    };
  }

  send(request: UpstreamRequest, sink: UpstreamSink): Exchange {
    const exchange = new ActiveExchange(request, sink, this);
    exchange.start();
    return exchange;
  }

  request(request: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse> {
    return receive(this, request, signal);
  }

  connections(): { readonly open: number; readonly idle: number } {
    let open = 0;
    let idle = 0;
    for (const pool of this.#pools.values()) {
      open += pool.size;
      idle += pool.idle;
    }
    return { open, idle };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.close(new ClientClosed());
    this.#pools.clear();
  }

  poolOf(origin: string): ConnectionPool {
    if (this.#closed) throw new ClientClosed();
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      const endpoint = new Endpoint(origin, this.#options);
      pool = new ConnectionPool((of) => this.#connect(of, endpoint), this.#sweeper);
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  #connect(pool: ConnectionPool, endpoint: Endpoint): Connection {
    return this.#codec === undefined
      ? new NodeConnection({ pool, endpoint, formatter: this.#formatter })
      : new CodecConnection(this.#codec, { pool, endpoint });
  }
}

/** Creates the HTTP client for upstreams. It holds no socket and no timer until its first request. */
export function createUpstreamClient(options: UpstreamClientOptions = {}): UpstreamClient {
  return new PooledClient(options);
}
