/**
 * A real registry of models for tests: Debian's `docker-registry`, behind a front that does what Ollama
 * expects of a registry and that one does not, sending whoever fetches a blob to another host name. The
 * front can be slow, and can break a transfer off.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as requestOf } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './eventually.ts';
import { freePort } from './ports.ts';

/** A running registry. */
export type ModelRegistry = AsyncDisposable & {
  /** `127.0.0.1:port`, the beginning of names of its models. */
  readonly name: string;
  /** Pause after each piece of a blob, in milliseconds; 0 at first. */
  slowBy(ms: number): void;
  /** Breaks the next `count` transfers of blobs off after their first piece. */
  breakNext(count: number): void;
  /** Blobs that were asked for, without those who were sent elsewhere. */
  readonly blobRequests: number;
};

const PROGRAM = 'docker-registry';
const PIECE_BYTES = 16 * 1024;

/** Starts a registry, or says why a test must be skipped. */
export async function startModelRegistry(): Promise<ModelRegistry | { readonly skip: string }> {
  if (spawnSync(PROGRAM, ['--version']).error !== undefined) {
    return { skip: `${PROGRAM} is not installed: no real registry` };
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-registry-'));
  const port = await freePort();
  const config = path.join(folder, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${JSON.stringify(folder)}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
  );
  const child = spawn(PROGRAM, ['serve', config], { stdio: 'ignore' });
  const front = new Front(port);
  await front.listen();
  await answers(port);
  return {
    name: `127.0.0.1:${front.port}`,
    slowBy: (ms) => void (front.pauseMs = ms),
    breakNext: (count) => void (front.breaks = count),
    get blobRequests() {
      return front.blobRequests;
    },
    async [Symbol.asyncDispose]() {
      await front.close();
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

class Front {
  pauseMs = 0;
  breaks = 0;
  blobRequests = 0;
  readonly #registryPort: number;
  readonly #server = createServer((request, response) => this.#serve(request, response));

  constructor(registryPort: number) {
    this.#registryPort = registryPort;
  }

  get port(): number {
    // A TCP server's address is never a pipe's name.
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { url = '', method, headers } = request;
    const isBlob = method === 'GET' && url.includes('/blobs/sha256:');
    if (isBlob && headers.host?.startsWith('127.') === true) {
      response.writeHead(307, { location: `http://localhost:${this.port}${url}` }).end();
      return;
    }
    const asked = requestOf({ host: '127.0.0.1', port: this.#registryPort, method, path: url, headers });
    request.pipe(asked);
    response.on('error', () => asked.destroy());
    asked.on('error', () => response.destroy());
    asked.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (isBlob) void this.#sendSlowly(answer, response);
      else answer.pipe(response);
    });
  }

  async #sendSlowly(answer: IncomingMessage, response: ServerResponse): Promise<void> {
    this.blobRequests += 1;
    const breaks = this.breaks > 0;
    if (breaks) this.breaks -= 1;
    try {
      for await (const piece of piecesOf(answer)) {
        if (response.destroyed) return;
        response.write(piece);
        if (breaks) response.destroy();
        if (this.pauseMs > 0) await sleep(this.pauseMs);
      }
      response.end();
    } catch {
      response.destroy();
    }
  }
}

async function* piecesOf(answer: IncomingMessage): AsyncIterable<Buffer> {
  for await (const bytes of answer as AsyncIterable<Buffer>) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

async function answers(port: number): Promise<void> {
  const asks = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
    return answer?.ok === true;
  };
  await until(asks, `${PROGRAM} answers on port ${port}`, 10_000);
}
