import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { completion, streamEvent, usageEvent } from '../gateway/bodies.ts';

/** An upstream that now and then does what upstreams do. */
export type FaultyUpstream = {
  readonly origin: string;
  /** Faults so far, by the number of the request that met one. */
  readonly faults: ReadonlyMap<string, string>;
  stop(): Promise<void>;
};

const ANSWER = completion(1_024);
const EVENTS = 20;
const EVENT_MS = 50;
const ANSWER_MS = 20;

const FAULTS = ['status 500', 'status 429', 'reset', 'cut'] as const;
type Fault = (typeof FAULTS)[number];

/** A number from 0 to 1 that follows from a seed (mulberry32), so that a soak can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Starts an upstream that makes a fault with the given probability in each attempt. */
export async function startFaultyUpstream(
  probability: number,
  random: () => number,
): Promise<FaultyUpstream> {
  const faults = new Map<string, string>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const fault = random() < probability ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined;
      const user = /"user":"([^"]+)"/.exec(body)?.[1] ?? '';
      if (fault !== undefined) faults.set(user, fault);
      if (fault === undefined || fault === 'cut')
        answer(response, /"stream":true/.test(body), fault === 'cut');
      else refuse(response, fault);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, fault: Exclude<Fault, 'cut'>): void {
  if (fault === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const status = fault === 'status 500' ? 500 : 429;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end('{"error":{"message":"injected","type":"server_error","code":null,"param":null}}');
}

function answer(response: ServerResponse, stream: boolean, cut: boolean): void {
  if (stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    sendEvents(response, cut);
    return;
  }
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    if (!cut) response.end(ANSWER);
    else response.write(ANSWER.slice(0, 300), () => response.destroy());
  }, ANSWER_MS);
}

function sendEvents(response: ServerResponse, cut: boolean): void {
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    if (cut && sent === EVENTS / 2) response.destroy();
    else if (sent < EVENTS) response.write(streamEvent({ content: 'ten lettrs' }, null));
    else response.end(`${streamEvent({}, 'stop')}${usageEvent()}data: [DONE]\n\n`);
  }, EVENT_MS);
  response.on('close', () => clearInterval(timer));
}
