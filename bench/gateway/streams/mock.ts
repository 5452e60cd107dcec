/**
 * A process of its own: the upstream of the stream scenarios, on raw sockets, because nginx cannot
 * pace. Arguments: port, events of a stream, milliseconds between two events.
 */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { streamEvent, usageEvent } from '../bodies.ts';

const [port = 0, events = 1, intervalMs = 10] = process.argv.slice(2).map(Number);

const chunk = (text: string): Buffer =>
  Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`, 'latin1');

const HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n',
);
const FIRST = Buffer.concat([HEAD, chunk(streamEvent({ role: 'assistant', content: '' }, null))]);
const NEXT = chunk(streamEvent({ content: 'ten lettrs' }, null));
const LAST = Buffer.concat([
  chunk(streamEvent({}, 'stop')),
  chunk(usageEvent()),
  chunk('data: [DONE]\n\n'),
  Buffer.from('0\r\n\r\n'),
]);

type Stream = { readonly socket: Socket; left: number };

/** Streams by the millisecond within the interval at which they are due: evenly spread. */
const slots: Set<Stream>[] = Array.from({ length: Math.max(1, intervalMs) }, () => new Set());
let nextSlot = 0;

function begin(socket: Socket): void {
  socket.write(FIRST);
  const stream: Stream = { socket, left: events - 1 };
  const slot = slots[nextSlot];
  nextSlot = (nextSlot + 1) % slots.length;
  slot?.add(stream);
  socket.once('close', () => slot?.delete(stream));
}

function step(slot: Set<Stream>): void {
  for (const stream of slot) {
    if (stream.left > 0) {
      stream.left -= 1;
      stream.socket.write(NEXT);
    } else {
      slot.delete(stream);
      stream.socket.write(LAST);
    }
  }
}

/** Finds the requests in what a socket says: heads, each followed by as many bytes as it declares. */
function serve(socket: Socket): void {
  let heard = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.toString('latin1');
    for (;;) {
      const head = heard.indexOf('\r\n\r\n');
      if (head === -1) return;
      const declared = /^content-length: *(\d+)/im.exec(heard.slice(0, head))?.[1];
      // Some clients send a body of unknown length; it ends with the empty chunk.
      const chunked = declared === undefined && /^transfer-encoding: *chunked/im.test(heard.slice(0, head));
      const end = chunked ? heard.indexOf('0\r\n\r\n', head + 4) + 5 : head + 4 + Number(declared ?? 0);
      if (end < head + 4 || heard.length < end) return;
      heard = heard.slice(end);
      begin(socket);
    }
  });
}

const startedMs = performance.now();
let stepped = 0;
setInterval(() => {
  // A timer that comes late catches up, so that the pace holds over time.
  const due = Math.floor(performance.now() - startedMs);
  for (; stepped < due; stepped += 1) {
    const slot = slots[stepped % slots.length];
    if (slot !== undefined && slot.size > 0) step(slot);
  }
}, 1);

createServer(serve).listen({ port, host: '127.0.0.1', backlog: 4_096 });
