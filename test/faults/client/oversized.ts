import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ClientCase, Trial } from './client-case.ts';
import { exchange, RawClient } from './raw-client.ts';
import { assertRefused, chatBody, CLOSE, post, postHead } from './requests.ts';
import type { Refusal } from './requests.ts';

const MEBIBYTE = 1024 * 1024;
const LIMIT_BYTES = 16 * MEBIBYTE;
const TOO_LARGE: Refusal = { status: 413, code: 'payload_too_large' };
/** More than this is never taken from a client whose body was refused. */
const TAKEN_BYTES = 96 * MEBIBYTE;
/** How much more memory a body of any length may cost: the cap once, and what the collector has not yet taken. */
const HELD_BYTES = 64 * MEBIBYTE;

const PART = Buffer.alloc(256 * 1024, 'x');
const CHUNK = Buffer.concat([Buffer.from(`${PART.length.toString(16)}\r\n`), PART, Buffer.from('\r\n')]);

/** Sends a head and then bytes without end; gives the refusal and how much was taken. */
async function overwhelm({ arena, lane }: Trial, head: string, part: Buffer): Promise<void> {
  const before = { bytes: await arena.residentBytes(), requests: lane.upstream.requests.length };
  const client = await RawClient.open(arena.url);
  client.write(head);
  const flooding = client.flood(part, 1024 * MEBIBYTE);
  assertRefused(await client.answer(), TOO_LARGE);
  const sent = await flooding;
  await client.closed;
  assert.ok(sent >= LIMIT_BYTES, `refused after ${sent} bytes`);
  assert.ok(sent <= TAKEN_BYTES, `${sent} bytes were taken`);
  const held = (await arena.residentBytes()) - before.bytes;
  assert.ok(held <= HELD_BYTES, `${Math.round(held / MEBIBYTE)} MiB are held`);
  assert.equal(lane.upstream.requests.length, before.requests);
}

/** Row 34. */
export const OVERSIZED: readonly ClientCase[] = [
  {
    row: 34,
    side: 'client',
    fault: 'The client announces a body of more than 16 MiB.',
    sees: '413 `payload_too_large` at once, before any of it was sent.',
    async check({ arena }) {
      const client = await RawClient.open(arena.url);
      client.write(postHead([`Content-Length: ${LIMIT_BYTES + 1}`]));
      assertRefused(await client.answer(), TOO_LARGE);
      client.leave();
    },
  },
  {
    row: 34,
    side: 'client',
    fault: 'The client announces a body of a terabyte and sends it.',
    sees: '413 `payload_too_large` at once; the connection is cut when it goes on.',
    async check({ arena }) {
      const client = await RawClient.open(arena.url);
      client.write(postHead([`Content-Length: ${2 ** 40}`]));
      const flooding = client.flood(PART, 1024 * MEBIBYTE);
      assertRefused(await client.answer(), TOO_LARGE);
      assert.ok((await flooding) <= TAKEN_BYTES);
      await client.closed;
    },
  },
  {
    row: 34,
    side: 'client',
    fault: 'The client sends chunks without end.',
    sees: '413 `payload_too_large` as soon as there are more than 16 MiB, which is all that is ever held; the connection is cut when it goes on.',
    check: (trial) => overwhelm(trial, postHead(['Transfer-Encoding: chunked']), CHUNK),
  },
  {
    row: 34,
    side: 'client',
    fault: 'The client sends a body of exactly 16 MiB.',
    sees: 'The answer.',
    modes: ['whole'],
    async check({ arena, lane }) {
      const asked = (says: string): string => chatBody({ model: lane.model, says, stream: false });
      const body = asked('x'.repeat(LIMIT_BYTES - asked('').length));
      assert.equal(body.length, LIMIT_BYTES);
      const [answer] = await exchange(arena.url, post(body, [CLOSE]));
      assert.equal(answer?.status, 200, answer?.body);
    },
  },
  {
    row: 34,
    side: 'client',
    fault: 'The client announces less than it sends.',
    sees: 'The answer to what was announced (here 400), and 400 to the rest, which is no request; then the end of the connection.',
    modes: ['whole'],
    async check({ arena, lane }) {
      const before = lane.upstream.requests.length;
      const body = chatBody({ model: lane.model, says: 'answer', stream: false });
      const answers = await exchange(arena.url, postHead([`Content-Length: ${body.length - 10}`]) + body);
      assert.equal(answers.length, 2);
      for (const answer of answers) assertRefused(answer, { status: 400, code: 'invalid_request' });
      assert.equal(lane.upstream.requests.length, before);
    },
  },
  {
    row: 34,
    side: 'client',
    fault: 'The client announces more than it sends, and leaves.',
    sees: 'Nothing. The outcome is `client_gone`, and no upstream hears of it.',
    modes: ['whole'],
    async check({ arena, lane }) {
      const before = lane.upstream.requests.length;
      const id = randomUUID();
      const client = await RawClient.open(arena.url);
      const body = chatBody({ model: lane.model, says: 'answer', stream: false });
      client.write(postHead([`Content-Length: ${body.length + 1}`, `X-Request-Id: ${id}`]) + body);
      client.leave();
      assert.equal((await arena.outcome(id))['outcome'], 'client_gone');
      assert.equal(lane.upstream.requests.length, before);
    },
  },
];
