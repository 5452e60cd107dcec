/**
 * An Ollama for tests that remembers: models, blobs, what is loaded with which options; it loads,
 * reloads, evicts and queues as the real one does, and misbehaves as the real one does where it is told.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { perform } from './scripted-ollama-faults.ts';
import type { Fault } from './scripted-ollama-faults.ts';
import { objectOf, ScriptedAnswers } from './scripted-ollama-answers.ts';
import type { ScriptedCall, ScriptedRequest } from './scripted-ollama-answers.ts';
import { nameOf } from './scripted-ollama-models.ts';
import type { ScriptedModel } from './scripted-ollama-models.ts';
import { ScriptedRunners } from './scripted-ollama-runners.ts';
import type { RunnerSettings, ScriptedLoad } from './scripted-ollama-runners.ts';

/** What a scripted Ollama is like. */
export type ScriptedOllamaOptions = Partial<RunnerSettings> & {
  /** Installed. */
  readonly models?: readonly ScriptedModel[];
  /** What `pull` finds; anything else is `pull model manifest: file does not exist`. */
  readonly registry?: readonly ScriptedModel[];
  /** `0.24.0` unless told. */
  readonly version?: string;
  /** Refuses every request without `Authorization: Bearer` and this. */
  readonly apiKey?: string;
  /** Milliseconds between two lines of a pull, push or create; 0 unless told. */
  readonly stepMs?: number;
  /** 0, the default, takes any free port. */
  readonly port?: number;
};

/** A running scripted Ollama. */
export type ScriptedOllama = AsyncDisposable & {
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
  /** The bodies sent to a path, in order. */
  sent(path: string): readonly Record<string, unknown>[];
  /** Installed models by name with tag; change it as you like. */
  readonly models: Map<string, ScriptedModel>;
  /** Digests of uploaded blobs. */
  readonly blobs: Set<string>;
  /** Bytes that have arrived of uploads under way; 0 where there is none. */
  receiving(): number;
  /** Every load and reload, in order: what warm placement and canonical options save. */
  readonly loads: readonly ScriptedLoad[];
  /** Names of the models that are loaded now. */
  loaded(): readonly string[];
  /** Requests that are being answered, now and at most so far; of one path or of all. */
  inFlight(path?: string): number;
  peak(path: string): number;
  /** What happens to the next requests of a path (`/api/pull`), one fault each, then all is well again. */
  next(path: string, ...faults: readonly Fault[]): void;
  /** What happens to every request of a path until it is undefined. */
  always(path: string, fault: Fault | undefined): void;
  /** Resolves when a request of that path has arrived; `count` counts from 1. */
  arrived(path: string, count?: number): Promise<ScriptedRequest>;
  /** Breaks every connection and listens no more, as a killed process does. */
  kill(): Promise<void>;
  /** Listens again at the same address, with nothing loaded. */
  revive(): Promise<void>;
};

class Scripted implements ScriptedOllama {
  readonly requests: ScriptedRequest[] = [];
  readonly models: Map<string, ScriptedModel>;
  readonly blobs = new Set<string>();
  readonly #arriving = new Map<IncomingMessage, number>();
  url = '';
  readonly #options: ScriptedOllamaOptions;
  readonly #runners: ScriptedRunners;
  readonly #answers: ScriptedAnswers;
  readonly #next = new Map<string, Fault[]>();
  readonly #always = new Map<string, Fault>();
  readonly #busy = new Map<string, { now: number; peak: number }>();
  readonly #sockets = new Set<Socket>();
  readonly #arrivals: { path: string; count: number; resolve: (request: ScriptedRequest) => void }[] = [];
  #server: Server | undefined;

  constructor(options: ScriptedOllamaOptions) {
    this.#options = options;
    this.models = new Map((options.models ?? []).map((model) => [nameOf(model.name), model]));
    this.#runners = new ScriptedRunners(options);
    this.#answers = new ScriptedAnswers(this, this.#runners, options);
  }

  get loads(): readonly ScriptedLoad[] {
    return this.#runners.loads;
  }

  loaded(): readonly string[] {
    return this.#runners.running().map(({ name }) => name);
  }

  receiving(): number {
    return [...this.#arriving.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  sent(path: string): readonly Record<string, unknown>[] {
    return this.requests.filter((one) => one.path === path).map((one) => one.body ?? {});
  }

  inFlight(path?: string): number {
    if (path !== undefined) return this.#busy.get(path)?.now ?? 0;
    return [...this.#busy.values()].reduce((sum, { now }) => sum + now, 0);
  }

  peak(path: string): number {
    return this.#busy.get(path)?.peak ?? 0;
  }

  next(path: string, ...faults: readonly Fault[]): void {
    this.#next.set(path, [...(this.#next.get(path) ?? []), ...faults]);
  }

  always(path: string, fault: Fault | undefined): void {
    if (fault === undefined) this.#always.delete(path);
    else this.#always.set(path, fault);
  }

  arrived(path: string, count = 1): Promise<ScriptedRequest> {
    const there = this.requests.filter((one) => one.path === path)[count - 1];
    if (there !== undefined) return Promise.resolve(there);
    return new Promise((resolve) => this.#arrivals.push({ path, count, resolve }));
  }

  async listen(port: number): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    // A TCP server's address is never a pipe's name.
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
    this.#runners.crashAll();
  }

  revive(): Promise<void> {
    return this.listen(Number(new URL(this.url).port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client may leave between two lines: the next is written to nobody.
    response.on('error', () => undefined);
    const request = await this.#read(incoming);
    this.#arriving.delete(incoming);
    if (request === undefined) return;
    const busy = this.#busy.get(request.path) ?? { now: 0, peak: 0 };
    this.#busy.set(request.path, busy);
    busy.now += 1;
    busy.peak = Math.max(busy.peak, busy.now);
    response.on('close', () => (busy.now -= 1));
    this.#note(request);
    const fault = this.#next.get(request.path)?.shift() ?? this.#always.get(request.path);
    const text = (name: string): string => {
      const value = request.body?.[name];
      return typeof value === 'string' ? value : '';
    };
    const call = { request, response, text };
    if (fault === undefined) await this.#answer(call);
    else
      await perform(fault, { call, crash: () => this.#runners.crash(text('model')) }, () =>
        this.#answer(call),
      );
  }

  /** Undefined for a request whose client left in the middle of it. */
  async #read(incoming: IncomingMessage): Promise<ScriptedRequest | undefined> {
    const pieces: Buffer[] = [];
    const hash = createHash('sha256');
    let bytes = 0;
    const path = (incoming.url ?? '').split('?')[0] ?? '';
    const isBlob = path.startsWith('/api/blobs/');
    try {
      for await (const piece of incoming as AsyncIterable<Buffer>) {
        bytes += piece.length;
        if (isBlob) this.#arriving.set(incoming, bytes);
        if (isBlob) hash.update(piece);
        else pieces.push(piece);
      }
    } catch (error) {
      if (incoming.complete) throw error;
      return undefined;
    }
    const { method = '', headers } = incoming;
    const base = { method, path, headers, bytes };
    if (isBlob) return { ...base, body: { digest: `sha256:${hash.digest('hex')}` } };
    return { ...base, body: bytes === 0 ? undefined : objectOf(Buffer.concat(pieces).toString()) };
  }

  #note(request: ScriptedRequest): void {
    this.requests.push(request);
    const count = this.requests.filter((one) => one.path === request.path).length;
    for (const arrival of this.#arrivals)
      if (arrival.path === request.path && arrival.count === count) arrival.resolve(request);
  }

  async #answer(call: ScriptedCall): Promise<void> {
    const { request, response } = call;
    if (
      this.#options.apiKey !== undefined &&
      request.headers['authorization'] !== `Bearer ${this.#options.apiKey}`
    ) {
      response.writeHead(401, { 'content-type': 'text/plain' }).end('Unauthorized');
      return;
    }
    await this.#answers.answer(call);
  }
}

/** Starts a scripted Ollama on a loopback port. */
export async function startScriptedOllama(options: ScriptedOllamaOptions = {}): Promise<ScriptedOllama> {
  const server = new Scripted(options);
  await server.listen(options.port ?? 0);
  return server;
}
