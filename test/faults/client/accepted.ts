import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { BOTH } from './client-case.ts';
import type { ClientCase, Trial } from './client-case.ts';
import { nextChat } from './arena.ts';
import { exchange } from './raw-client.ts';
import type { RawAnswer } from './raw-client.ts';
import { assertRefused, chatBody, CLOSE, post } from './requests.ts';

type Outcome = { readonly answer: RawAnswer; readonly upstreamBody: string };

/** Sends a body that reaches the upstream; gives the answer, and what the upstream was asked. */
async function pass(trial: Trial, body: string, headers: readonly string[] = []): Promise<Outcome> {
  const { arena, lane } = trial;
  const arrival = nextChat(lane.upstream, lane.upstream.requests.length);
  const [answer] = await exchange(arena.url, post(body, [CLOSE, ...headers]));
  assert.ok(answer);
  assert.equal(answer.status, 200, answer.body);
  assert.match(answer.body, /Hello/);
  assert.equal(answer.headers['x-injected'], undefined);
  return { answer, upstreamBody: (await arrival).body.toString() };
}

function plain({ lane, mode }: Trial, more: Readonly<Record<string, unknown>> = {}): string {
  return chatBody({ model: lane.model, says: 'answer', stream: mode === 'stream', more });
}

function withMembers(trial: Trial, members: string): string {
  return `${plain(trial).slice(0, -1)},${members}}`;
}

const POLLUTIONS: readonly (readonly [fault: string, members: string])[] = [
  ['a key `__proto__`', '"__proto__":{"polluted":"yes","temperature":0.5}'],
  ['a key `constructor` with a `prototype`', '"constructor":{"prototype":{"polluted":"yes"}}'],
  ['a key `__proto__` in `metadata`', '"metadata":{"__proto__":{"polluted":"yes"}}'],
];

const POLLUTION: readonly ClientCase[] = POLLUTIONS.map(([fault, members]) => ({
  row: 37,
  side: 'client',
  fault: `The body has ${fault}.`,
  sees: 'The answer. In the same dialect the bytes pass as they are; where a body is translated, nothing of it is taken over; later requests are what they were.',
  modes: BOTH,
  async check(trial) {
    const before = await pass(trial, plain(trial));
    const { upstreamBody } = await pass(trial, withMembers(trial, members));
    if (trial.lane.dialect === 'openai') assert.ok(upstreamBody.includes(members));
    else assert.equal(upstreamBody, before.upstreamBody);
    const after = await pass(trial, plain(trial));
    assert.equal(after.upstreamBody, before.upstreamBody);
    assert.deepEqual(Object.keys(after.answer.headers), Object.keys(before.answer.headers));
  },
}));

const INJECTION = 'x\r\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK';

const HEADERS: readonly ClientCase[] = [
  {
    row: 38,
    side: 'client',
    fault: 'The model’s name has letters that no header can carry.',
    sees: 'The answer; headers that name the model have it percent-encoded.',
    modes: BOTH,
    async check(trial) {
      const { lane, mode } = trial;
      const body = chatBody({ model: lane.foreignName, says: 'answer', stream: mode === 'stream' });
      const { answer } = await pass(trial, body);
      for (const [name, value] of Object.entries(answer.headers))
        assert.match(value, /^[\x20-\x7E]*$/, `${name} can be read`);
    },
  },
  {
    row: 38,
    side: 'client',
    fault: 'There are line breaks and a header in `user` and `metadata`.',
    sees: 'The answer. They are data to the upstream and in no header of ours.',
    modes: BOTH,
    async check(trial) {
      await pass(trial, plain(trial, { user: INJECTION, metadata: { [INJECTION]: INJECTION } }));
    },
  },
  {
    row: 38,
    side: 'client',
    fault: 'There are line breaks and a header in the name of a field that has no effect.',
    sees: 'The answer; where `x-obelisk-options-ignored` names the field, it is percent-encoded.',
    modes: BOTH,
    async check(trial) {
      await pass(trial, plain(trial, { [INJECTION]: 1, 'für 模型': 1, options: { [INJECTION]: 1 } }));
    },
  },
  {
    row: 38,
    side: 'client',
    fault: 'The `X-Request-Id` holds what no header or log should repeat.',
    sees: 'The answer, under an id of the server’s own.',
    modes: BOTH,
    async check(trial) {
      for (const id of ['a b', '<script>', 'x'.repeat(1_000), '\u00FC', '{"a":1}']) {
        const { answer } = await pass(trial, plain(trial), [`X-Request-Id: ${id}`]);
        assert.match(answer.headers['x-request-id'] ?? '', /^req_[A-Za-z0-9_-]+$/);
      }
    },
  },
];

const SCHEMA: ClientCase = {
  row: 40,
  side: 'client',
  fault: 'The schema of a tool names a parameter `api_base`.',
  sees: 'The answer: a tool may have any parameter.',
  modes: BOTH,
  async check(trial) {
    const parameters = {
      type: 'object',
      properties: { api_base: { type: 'string' }, api_key: { type: 'string' } },
    };
    const tools = [{ type: 'function', function: { name: 'call', parameters } }];
    const { upstreamBody } = await pass(trial, plain(trial, { tools }));
    assert.match(upstreamBody, /"api_base"/);
  },
};

/** A server that counts who connects. */
async function startCanary(): Promise<{
  readonly port: number;
  readonly touched: () => number;
  close(): void;
}> {
  let touched = 0;
  const server = createServer((socket) => {
    touched += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return { port, touched: () => touched, close: () => void server.close() };
}

const IMAGES: readonly (readonly [what: string, url: (port: number) => string])[] = [
  ['this machine', (port) => `http://127.0.0.1:${port}/secret.png`],
  ['this machine, spelt as a number', (port) => `http://2130706433:${port}/secret.png`],
  ['this machine in IPv6', (port) => `http://[::ffff:127.0.0.1]:${port}/secret.png`],
  ['a name that resolves to this machine', (port) => `http://localhost:${port}/secret.png`],
  ['the metadata service of a cloud', () => 'http://169.254.169.254/latest/meta-data/'],
  ['a file', () => 'file:///etc/passwd'],
  ['a file of another host', () => String.raw`\\evil.example\share\x.png`],
];

const IMAGE_CASES: readonly ClientCase[] = IMAGES.map(([what, urlOf]) => ({
  row: 41,
  side: 'client',
  fault: `An \`image_url\` leads to ${what}.`,
  sees: 'Obelisk fetches nothing. In the same dialect the upstream gets the address as it is; for Ollama, which takes images only as data, 400 `invalid_request`.',
  modes: BOTH,
  async check(trial) {
    const { arena, lane, mode } = trial;
    const canary = await startCanary();
    const url = urlOf(canary.port);
    const content = [{ type: 'image_url', image_url: { url } }];
    const messages = [{ role: 'user', content }];
    const body = JSON.stringify({ model: lane.model, stream: mode === 'stream', messages });
    const before = lane.upstream.requests.length;
    const [answer] = await exchange(arena.url, post(body, [CLOSE]));
    canary.close();
    assert.equal(canary.touched(), 0);
    if (lane.dialect === 'ollama') {
      assertRefused(answer, { status: 400, code: 'invalid_request' });
      assert.equal(lane.upstream.requests.length, before);
      return;
    }
    assert.equal(answer?.status, 200, answer?.body);
    assert.ok(lane.upstream.requests.at(-1)?.body.includes(JSON.stringify(url)));
  },
}));

/** Rows 37 to 41, as far as they are answered. */
export const ACCEPTED: readonly ClientCase[] = [...POLLUTION, ...HEADERS, SCHEMA, ...IMAGE_CASES];
