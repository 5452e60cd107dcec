import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ObeliskError, systemCodeOf } from '../shared/errors.ts';
import { AnonymousConnections } from './anonymous-connections.ts';
import { AnswersUnderWay } from './answers-under-way.ts';
import { CoarseClock } from './coarse-clock.ts';
import type { Handler, HttpRequest, HttpResponse } from './http.ts';
import { CodecConnections } from './http1/codec-connections.ts';
import { createDateText } from './http1/response-text.ts';
import { NodeRequest, NodeResponse } from './node-exchange.ts';
import { refuseInTurn, tunnelRefusal } from './refuse-bytes.ts';
import { headProblem, refuseHead } from './strict-head.ts';

/** Limits of a server; every one has a default. */
export type ServerLimits = {
  /** For a complete request head, in milliseconds; 10 s. */
  readonly headersMs?: number;
  /** For a complete request body, in milliseconds; 60 s. */
  readonly bodyMs?: number;
  /** For an idle keep-alive connection, in milliseconds; 65 s, longer than the usual client's. */
  readonly keepAliveMs?: number;
  /** For a client that takes nothing of what waits for it, in milliseconds; 60 s. */
  readonly stalledMs?: number;
  /** Connections without a complete and accepted request head; 512. */
  readonly anonymousConnections?: number;
  /** The same from one address; 64. */
  readonly anonymousPerAddress?: number;
  /** How long one may say nothing before it gives way where there are more than that, in milliseconds; 5 s. */
  readonly silentMs?: number;
};

/** Answers a request whose handler failed; `response.started` says whether a head was sent. */
export type OnError = (error: unknown, request: HttpRequest, response: HttpResponse) => void;

/** What a server is made of. */
export type NodeServerOptions = {
  readonly handler: Handler;
  readonly onError: OnError;
  /** A connection could not be taken, for lack of file descriptors or because it broke before; others can. */
  readonly onAcceptError?: (error: Error) => void;
  readonly limits?: ServerLimits;
  /**
   * Which requests the codec answers, where it can read them; every other one, and all of them where
   * this is absent, node:http serves on the same socket.
   */
  readonly codecServes?: (method: string, path: string) => boolean;
};

/** Where to listen. */
export type ListenOptions = { readonly host: string; readonly port: number };

/** A listening socket and the handler behind it. */
export type NodeServer = {
  /**
   * Starts to listen; resolves to the address in use (the port chosen where 0 was asked for).
   * @throws ObeliskError `address_in_use`.
   */
  listen(options: ListenOptions): Promise<ListenOptions>;
  /** Takes no new connection, lets running requests end for up to `graceMs` milliseconds, then closes all. */
  close(graceMs: number): Promise<void>;
};

/** Connections that may wait to be accepted; the system allows 4,096 unless told otherwise. */
const BACKLOG = 4096;
const TICK_MS = 50;
const CHECK_MS = 1_000;
/** Resolution of the clock of connections that wait for a request. */
const IDLE_TICK_MS = 500;
const DEFAULT_LIMITS: Required<ServerLimits> = {
  headersMs: 10_000,
  bodyMs: 60_000,
  keepAliveMs: 65_000,
  stalledMs: 60_000,
  anonymousConnections: 512,
  anonymousPerAddress: 64,
  silentMs: 5_000,
};

function listenErrorOf(error: unknown, { host, port }: ListenOptions): unknown {
  const code = systemCodeOf(error);
  if (code === 'EADDRINUSE') {
    const message = `another program listens on ${host}:${port}; stop it, or choose another port with --port`;
    return new ObeliskError('address_in_use', message, { cause: error });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    const message = `listening on ${host}:${port} is not possible here (${code}); choose another --host or --port`;
    return new ObeliskError('address_in_use', message, { cause: error });
  }
  return error;
}

class HandlerServer implements NodeServer {
  readonly #handler: Handler;
  readonly #onError: OnError;
  readonly #onAcceptError: (error: Error) => void;
  readonly #server: Server;
  readonly #anonymous: AnonymousConnections;
  readonly #bodyRules: { readonly clock: CoarseClock; readonly bodyMs: number };
  readonly #responseRules: ConstructorParameters<typeof NodeResponse>[1];
  readonly #codec: CodecConnections | undefined;
  #closing = false;
  readonly #answers = new AnswersUnderWay();
  /** The last request of each connection. */
  readonly #requests = new WeakMap<Duplex, NodeRequest>();
  /** Connections that end with the answer to what was refused on them. */
  readonly #refused = new WeakSet<Duplex>();

  constructor(options: NodeServerOptions) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const clock = new CoarseClock(TICK_MS);
    this.#handler = options.handler;
    this.#onError = options.onError;
    this.#onAcceptError = options.onAcceptError ?? (() => undefined);
    this.#anonymous = new AnonymousConnections({
      limit: limits.anonymousConnections,
      limitPerAddress: limits.anonymousPerAddress,
      silentMs: limits.silentMs,
    });
    this.#bodyRules = { clock, bodyMs: limits.bodyMs };
    this.#responseRules = {
      clock,
      stalledMs: limits.stalledMs,
      onHead: (status, outgoing) => {
        // Whoever asks again on this connection must be told beforehand that it closes.
        if (this.#closing) outgoing.shouldKeepAlive = false;
        if (outgoing.socket) this.#noteHead(status, outgoing.socket);
      },
    };
    this.#server = createServer(
      {
        headersTimeout: limits.headersMs,
        // A backstop for bodies that no handler reads; those that are read have a clock of their own.
        requestTimeout: limits.headersMs + 2 * limits.bodyMs,
        keepAliveTimeout: limits.keepAliveMs,
        connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersMs),
        noDelay: true,
        // Missing ones are refused in our own words.
        requireHostHeader: false,
      },
      (incoming, outgoing) => this.#serve(incoming, outgoing),
    );
    const listeners = [this.#answers.watch, ...this.#server.listeners('connection')];
    const handOver = (socket: Socket): void => {
      for (const listener of listeners) listener.call(this.#server, socket);
    };
    const { codecServes } = options;
    this.#codec =
      codecServes &&
      new CodecConnections({
        clock: new CoarseClock(Math.min(IDLE_TICK_MS, limits.headersMs / 4, limits.keepAliveMs / 4)),
        bodyRules: this.#bodyRules,
        ...limits,
        serves: codecServes,
        serve: (request, response) => this.#handle(request, response),
        onRequest: (socket) => this.#anonymous.delete(socket),
        onHead: (status, socket) => this.#noteHead(status, socket),
        handOver,
        date: createDateText(Date.now),
      });
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (accepted: Socket) => {
      if (this.#codec === undefined) handOver(accepted);
      this.#anonymous.add(this.#codec?.accept(accepted) ?? accepted);
    });
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket));
    this.#server.on('connect', ({ socket }: IncomingMessage) => this.#refuseTunnel(socket));
    this.#server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#refuseHead(incoming, outgoing, [417, 'the only expectation that is met is 100-continue']),
    );
  }

  async listen(options: ListenOptions): Promise<ListenOptions> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const onError = (error: Error): void => reject(listenErrorOf(error, options));
    this.#server.once('error', onError);
    this.#server.listen({ port: options.port, host: options.host, backlog: BACKLOG }, () =>
      resolve(undefined),
    );
    await promise;
    this.#server.off('error', onError);
    this.#server.on('error', this.#onAcceptError);
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === 'object' && address !== null
      ? { host: options.host, port: address.port }
      : options;
  }

  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A connection that never asked counts as active in node:http, one that has its answer is kept alive.
    this.#anonymous.closeAll();
    this.#codec?.close();
    const sweep = setInterval(() => this.#server.closeIdleConnections(), TICK_MS);
    const timer = setTimeout(() => {
      this.#server.closeAllConnections();
      this.#codec?.destroy();
    }, graceMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(timer);
  }

  /** Who was refused for lack of a key counts as if nothing had been asked. */
  #noteHead(status: number, socket: Socket): void {
    if (status === 401 || status === 403) this.#anonymous.add(socket);
  }

  #refuseHead(
    { socket }: IncomingMessage,
    outgoing: ServerResponse,
    [status, message]: readonly [400 | 417, string],
  ): void {
    this.#refused.add(socket);
    refuseHead(outgoing, status, message);
  }

  /** Refuses bytes that are no request; never in the middle of another request's answer. */
  #refuse(error: Error, socket: Duplex): void {
    // What is taken as it arrives may take hours, and has a clock of its own.
    const isLate = systemCodeOf(error) === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (isLate && this.#requests.get(socket)?.streaming === true) return;
    const last = this.#answers.last(socket);
    // What follows a last request is not looked at; where a trailer said so, its answer does not say it.
    if (systemCodeOf(error) === 'HPE_CLOSED_CONNECTION' && last?.shouldKeepAlive !== true) return;
    // Each further piece of what is no request is an error of its own.
    if (this.#refused.has(socket)) {
      const owesNothing = socket.writableEnded || last?.writableFinished !== false;
      if (isLate && owesNothing) socket.destroy();
      return;
    }
    this.#refused.add(socket);
    this.#refuseOnce(error, socket);
  }

  #refuseOnce(error: Error, socket: Duplex): void {
    // Who waits for the body is told, and answers as to any other request.
    if (this.#requests.get(socket)?.breakBody(error) === true) return;
    refuseInTurn(error, socket, this.#answers.last(socket));
  }

  /** Refuses CONNECT. node:http has let go of the socket: what it did there for earlier answers is done here. */
  #refuseTunnel(socket: Socket): void {
    const last = this.#answers.last(socket);
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    this.#answers.carryOn(socket);
    socket.resume();
    // Nobody else would close it with the server.
    this.#anonymous.add(socket);
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    refuseInTurn(tunnelRefusal(), socket, last);
  }

  #serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
    // What follows a refused head on its connection may be anything; nobody acts on it.
    if (this.#refused.has(incoming.socket)) return;
    const problem = headProblem(incoming);
    if (problem !== undefined) {
      this.#refuseHead(incoming, outgoing, [400, problem]);
      return;
    }
    this.#anonymous.delete(incoming.socket);
    this.#answers.add(incoming.socket, outgoing);
    const request = new NodeRequest(incoming, outgoing, this.#bodyRules);
    this.#requests.set(incoming.socket, request);
    this.#handle(request, new NodeResponse(outgoing, this.#responseRules));
  }

  #handle(request: HttpRequest, response: HttpResponse): void {
    try {
      const running = this.#handler(request, response);
      running?.catch((error: unknown) => this.#answerError(error, request, response));
    } catch (error) {
      this.#answerError(error, request, response);
    }
  }

  #answerError(error: unknown, request: HttpRequest, response: HttpResponse): void {
    try {
      this.#onError(error, request, response);
    } finally {
      // An answer that is not complete by now never will be: the client must not wait for its rest.
      if (!response.closed) response.destroy();
    }
  }
}

/** Creates a server on node:http around `handler`. */
export function createNodeServer(options: NodeServerOptions): NodeServer {
  return new HandlerServer(options);
}
