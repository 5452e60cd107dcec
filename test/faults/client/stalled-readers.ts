import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../eventually.ts';
import { nextChat, PATIENCE_MS } from './arena.ts';
import type { ClientCase, Trial } from './client-case.ts';
import { RawClient } from './raw-client.ts';
import { chatBody, post } from './requests.ts';

const MEBIBYTE = 1024 * 1024;
/** Seconds after which a client that takes nothing is dropped. */
const STALLED_SECONDS = 2;
/** The configuration of the server of these cases. */
export const STALLED_CONFIG: string = `server: {timeouts: {stalled: ${STALLED_SECONDS}}}\n`;

/** Without it the clients of one model wait for each other until an Ollama has shown how many it serves. */
export const CROWDS_CONFIG: string = 'providers: {ollama: {parallel: 32}}\n';

/** What the operating system may hold between upstream, program and client, per connection. */
const KERNEL_BYTES = 24 * MEBIBYTE;
/** Clients that stop reading at once. */
const READERS = 16;
/** What each may cost, in bytes. */
const HELD_BYTES = MEBIBYTE;

/** Asks, reads the beginning of the answer and then nothing more. */
async function startStalling({ arena, lane, mode }: Trial, says: string, id: string): Promise<RawClient> {
  const client = await RawClient.open(arena.url);
  const body = chatBody({ model: lane.model, says, stream: mode === 'stream' });
  client.stopReadingAtFirst();
  client.write(post(body, [`X-Request-Id: ${id}`]));
  await client.hears('HTTP/1.1 200');
  return client;
}

/** Waits until `value` has not grown for 300 ms. */
async function settled(value: () => number): Promise<void> {
  let last = -1;
  await until(
    async () => {
      const before = last;
      last = value();
      await sleep(300);
      return before === last && value() === last;
    },
    'the upstream is held up',
    PATIENCE_MS,
  );
}

/** Row 32, one client at a time. */
export const STALLED_READERS: readonly ClientCase[] = [
  {
    row: 32,
    side: 'client',
    fault: 'The client stops reading a stream that has no end.',
    sees: 'What it has read. At most 1 MiB waits for it, the upstream is held up meanwhile, and after 60 s without any progress the connection is cut and the upstream’s closed.',
    modes: ['stream'],
    async check(trial) {
      const { arena, lane } = trial;
      const start = lane.flooded();
      const arrival = nextChat(lane.upstream, lane.upstream.requests.length);
      const id = randomUUID();
      const client = await startStalling(trial, 'flood', id);
      await settled(lane.flooded);
      assert.ok(lane.flooded() - start <= KERNEL_BYTES, `the upstream sent ${lane.flooded() - start} bytes`);
      const stoppedMs = performance.now();
      await (
        await arrival
      ).closed;
      const tookMs = performance.now() - stoppedMs;
      assert.ok(tookMs <= (STALLED_SECONDS + 2) * 1_000, `dropped after ${Math.round(tookMs)} ms`);
      assert.equal((await arena.outcome(id))['outcome'], 'client_gone');
      client.leave();
    },
  },
  {
    row: 32,
    side: 'client',
    fault: 'The client stops reading a long answer.',
    sees: 'What it has read; after 60 s without any progress the connection is cut.',
    modes: ['stream', 'whole'],
    async check(trial) {
      const id = randomUUID();
      const client = await startStalling(trial, 'big', id);
      assert.equal((await trial.arena.outcome(id))['outcome'], 'client_gone');
      client.socket.resume();
      await client.closed;
      assert.ok(client.received.length < 15 * MEBIBYTE, 'the rest was dropped');
    },
  },
  {
    row: 32,
    side: 'client',
    fault: 'The client reads slowly, but it reads.',
    sees: 'The whole answer, however long it takes.',
    modes: ['stream', 'whole'],
    async check(trial) {
      const id = randomUUID();
      const client = await startStalling(trial, 'big', id);
      const startedMs = performance.now();
      // Two and a half times as long as a client may take nothing.
      while (performance.now() - startedMs < STALLED_SECONDS * 2_500) {
        client.socket.resume();
        await sleep(5);
        client.stopReading();
        await sleep(200);
        assert.ok(!client.isClosed, 'the client was dropped while it was reading');
      }
      client.socket.resume();
      await client.hears(trial.mode === 'stream' ? 'data: [DONE]' : '"stop"');
      assert.equal((await trial.arena.outcome(id))['outcome'], 'ok');
      client.leave();
    },
  },
];

/** Row 32, many clients at once. */
export const STALLED_CROWDS: readonly ClientCase[] = [
  {
    row: 32,
    side: 'client',
    fault: 'Sixteen clients stop reading streams that have no end.',
    sees: 'What they have read. Each of them costs at most 1 MiB.',
    modes: ['stream'],
    async check(trial) {
      const { arena, lane } = trial;
      const first = await startStalling(trial, 'flood', randomUUID());
      await settled(lane.flooded);
      const before = await arena.heldBytes();
      const clients: RawClient[] = [];
      for (let index = 0; index < READERS; index += 1)
        clients.push(await startStalling(trial, 'flood', randomUUID()));
      await settled(lane.flooded);
      const held = (await arena.heldBytes()) - before;
      for (const client of [first, ...clients]) client.leave();
      assert.ok(held <= READERS * HELD_BYTES, `${Math.round(held / MEBIBYTE)} MiB for ${READERS} clients`);
    },
  },
];
