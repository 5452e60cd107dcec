/**
 * A process of its own: opens many streams, and counts events and the time between them. Everything
 * is paced, so that it never is what is waited for; its core's load is reported beside the figures.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { percentile } from '../statistics.ts';
import type { LoaderMessage, LoaderReport, LoaderTask } from './protocol.ts';

const task = JSON.parse(process.argv[2] ?? '{}') as LoaderTask;
const { hostname, port } = new URL(task.origin);

const HEAD = Object.entries({
  host: `${hostname}:${port}`,
  'content-type': 'application/json',
  accept: 'text/event-stream',
  ...task.headers,
  'content-length': String(Buffer.byteLength(task.body)),
})
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const REQUEST = Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\n${HEAD}\r\n${task.body}`);
const EVENT_START = Buffer.from('data: ');
const STREAM_END = Buffer.from('data: [DONE]');
const ANSWER_START = Buffer.from('HTTP/1.1 200');

let begun = 0;
let failed = 0;
let failure: string | undefined;
let events = 0;
const connectMs: number[] = [];
const firstMs: number[] = [];
let gapsMs: number[] = [];

type Stream = { socket: Socket | undefined; askedMs: number; lastMs: number };

function fail(reason: string): void {
  failed += 1;
  failure ??= reason;
}

/** Counts where events start; a start that is cut by a read is rare and only lost, never counted twice. */
function countEvents(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(EVENT_START); at !== -1; at = bytes.indexOf(EVENT_START, at + 6)) count += 1;
  return count;
}

function onBytes(stream: Stream, bytes: Buffer): void {
  const nowMs = performance.now();
  const count = countEvents(bytes);
  if (stream.lastMs === 0) {
    if (bytes.indexOf(ANSWER_START) !== 0 && bytes.indexOf('HTTP/1.1') === 0) {
      fail(bytes.toString('latin1', 0, 300));
      stream.socket?.destroy();
      return;
    }
    if (count === 0) return;
    begun += 1;
    firstMs.push(nowMs - stream.askedMs);
  } else if (count > 0) {
    gapsMs.push(nowMs - stream.lastMs);
    // Events that came together waited for each other: only the first of them has a gap.
    for (let more = 1; more < count; more += 1) gapsMs.push(0);
  }
  if (count === 0) return;
  events += count;
  stream.lastMs = nowMs;
  if (task.again && bytes.includes(STREAM_END)) ask(stream);
}

/** Connects and asks as soon as it is connected, as clients do. */
function open(stream: Stream): void {
  const startedMs = performance.now();
  const socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(8_192),
      callback: (length: number, buffer: Uint8Array): boolean => {
        onBytes(stream, Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    },
  });
  stream.socket = socket;
  socket.once('connect', () => {
    connectMs.push(performance.now() - startedMs);
    ask(stream);
  });
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('the connection was closed'));
}

function ask(stream: Stream): void {
  stream.askedMs = performance.now();
  stream.lastMs = 0;
  stream.socket?.write(REQUEST);
}

const streams: readonly Stream[] = Array.from({ length: task.streams }, () => ({
  socket: undefined,
  askedMs: 0,
  lastMs: 0,
}));

function go(): void {
  for (const [index, stream] of streams.entries()) {
    if (task.spreadMs === 0) open(stream);
    else setTimeout(() => open(stream), (task.spreadMs * index) / task.streams);
  }
}

function reportOf(): LoaderReport {
  return {
    begun,
    failed,
    ...(failure === undefined ? {} : { failure }),
    events,
    connectMs,
    firstMs,
    gapP50Ms: percentile(gapsMs, 0.5),
    gapP99Ms: percentile(gapsMs, 0.99),
  };
}

const ACTIONS: Readonly<Record<LoaderMessage, () => void>> = {
  go,
  reset: () => {
    gapsMs = [];
    events = 0;
  },
  report: () => process.send?.(reportOf()),
};

process.on('message', (message: LoaderMessage) => ACTIONS[message]());
// Who started this has gone: nothing is left to load for.
process.on('disconnect', () => process.exit());
