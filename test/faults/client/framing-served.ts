import assert from 'node:assert/strict';
import type { ClientCase } from './client-case.ts';
import { isChat } from './lane-script.ts';
import { exchange, RawClient } from './raw-client.ts';
import type { RawAnswer } from './raw-client.ts';
import { assertRefused, chatBody, CLOSE, get, post, postHead } from './requests.ts';

const ALIVE = '/health/liveliness';
const BODY = chatBody({ model: 'nobody', says: 'answer', stream: false });
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';

const line = (first: string, ...headers: readonly string[]): string =>
  [first, ...headers, '', ''].join('\r\n');

type Oddity = {
  readonly fault: string;
  readonly sees: string;
  readonly bytes: string | Buffer;
  readonly expect: (answers: readonly RawAnswer[]) => void;
};

const alive = (answers: readonly RawAnswer[]): void => {
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body]),
    [[200, '"I\'m alive!"']],
  );
};
const unknownModel = (answer: RawAnswer | undefined): void =>
  assertRefused(answer, { status: 404, code: 'model_not_found' });

const SERVED: readonly Oddity[] = [
  {
    fault: 'sends several requests at once without waiting (pipelining)',
    sees: 'Every answer, in the order of the requests.',
    bytes: get(ALIVE) + post(BODY).toString() + get('/no/such/route') + get(ALIVE, [CLOSE]),
    expect: (answers) =>
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 404, 404, 200],
      ),
  },
  {
    fault: 'speaks HTTP/1.0',
    sees: 'The answer, and the end of the connection.',
    bytes: line(`GET ${ALIVE} HTTP/1.0`),
    expect: alive,
  },
  {
    fault: 'speaks HTTP/1.0 and sends a body',
    sees: 'The answer, and the end of the connection.',
    bytes: line('POST /v1/chat/completions HTTP/1.0', 'Content-Type: application/json', LENGTH) + BODY,
    expect: ([answer]) => unknownModel(answer),
  },
  {
    fault: 'names the whole URL (absolute form, as to a proxy)',
    sees: 'The answer to its path.',
    bytes: line(`GET http://localhost${ALIVE} HTTP/1.1`, 'Host: localhost', CLOSE),
    expect: alive,
  },
  {
    fault: 'expects `100-continue`',
    sees: '100, then the answer.',
    bytes: postHead([CLOSE, LENGTH, 'Expect: 100-continue']) + BODY,
    expect: (answers) => {
      assert.equal(answers[0]?.status, 100);
      unknownModel(answers[1]);
      assert.equal(answers.length, 2);
    },
  },
  {
    fault: 'expects something else',
    sees: '417 `invalid_request`.',
    bytes: get(ALIVE, [CLOSE, 'Expect: 200-ok']),
    expect: (answers) => {
      assertRefused(answers[0], { status: 417, code: 'invalid_request' });
      assert.equal(answers.length, 1);
    },
  },
  {
    fault: 'sends its body in chunks, with an extension and a trailer',
    sees: 'The answer.',
    bytes: `${postHead([CLOSE, CHUNKED])}${BODY.length.toString(16)};a=b\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`,
    expect: ([answer]) => unknownModel(answer),
  },
  {
    fault: 'asks to speak another protocol (Upgrade)',
    sees: 'The answer in HTTP/1.1: nobody has to agree to an upgrade.',
    bytes: get(ALIVE, ['Connection: Upgrade, close', 'Upgrade: h2c']),
    expect: alive,
  },
  {
    fault: 'sends an empty line before its request',
    sees: 'The answer.',
    bytes: `\r\n${get(ALIVE, [CLOSE])}`,
    expect: alive,
  },
];

const SERVINGS: readonly ClientCase[] = SERVED.map(({ fault, sees, bytes, expect }) => ({
  row: 45,
  side: 'client',
  fault: `The client ${fault}.`,
  sees,
  async check({ arena }) {
    expect(await exchange(arena.url, bytes));
  },
}));

/** Sends a request one byte at a time, or cut at each place: where it is cut must not matter. */
const SLICED: ClientCase = {
  row: 45,
  side: 'client',
  fault: 'The client sends its request byte by byte.',
  sees: 'The answer.',
  async check({ arena }) {
    const client = await RawClient.open(arena.url);
    for (const byte of post(BODY, [CLOSE])) {
      client.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    unknownModel(await client.answer());
    await client.closed;
  },
};

const PIPELINED_STREAMS: ClientCase = {
  row: 45,
  side: 'client',
  fault: 'The client sends two chat requests at once on one connection.',
  sees: 'Both answers, whole and in order.',
  modes: ['stream', 'whole'],
  async check({ arena, lane, mode }) {
    const asked = chatBody({ model: lane.model, says: 'answer', stream: mode === 'stream' });
    const answers = await exchange(arena.url, Buffer.concat([post(asked), post(asked, [CLOSE])]));
    assert.equal(answers.length, 2);
    for (const { status, body } of answers) {
      assert.equal(status, 200, body);
      if (mode === 'stream') assert.match(body, /Hello.* there.*data: \[DONE\]\n\n$/s);
      else assert.match(body, /"Hello there!"/);
    }
  },
};

const OLD_STREAM: ClientCase = {
  row: 45,
  side: 'client',
  fault: 'The client speaks HTTP/1.0 and asks a model.',
  sees: 'The answer, a stream without chunks, and the end of the connection.',
  modes: ['stream', 'whole'],
  async check({ arena, lane, mode }) {
    const asked = chatBody({ model: lane.model, says: 'answer', stream: mode === 'stream' });
    const head = ['Content-Type: application/json', `Content-Length: ${asked.length}`];
    const answers = await exchange(arena.url, line('POST /v1/chat/completions HTTP/1.0', ...head) + asked);
    assert.equal(answers.length, 1);
    assert.equal(answers[0]?.status, 200);
    assert.equal(answers[0].headers['transfer-encoding'], undefined);
    if (mode === 'stream') assert.match(answers[0].body, /^data: .*data: \[DONE\]\n\n$/s);
  },
};

const PATIENT_GARBAGE: ClientCase = {
  row: 45,
  side: 'client',
  fault: 'The client sends something that is no request while its answer is on its way.',
  sees: 'Its answer, whole, then 400 `invalid_request` and the end of the connection.',
  modes: ['stream', 'whole'],
  async check({ arena, lane, mode }) {
    const says = mode === 'stream' ? 'paced 15' : 'answer';
    const asked = chatBody({ model: lane.model, says, stream: mode === 'stream' });
    const client = await RawClient.open(arena.url);
    client.write(post(asked));
    if (mode === 'stream') await client.hears('w2');
    client.write('this is no request\r\n\r\n');
    const answers = await client.answers(2);
    assert.equal(answers[0]?.status, 200);
    if (mode === 'stream') assert.match(answers[0].body, /w0 .*w14 .*data: \[DONE\]\n\n$/s);
    assertRefused(answers[1], { status: 400, code: 'invalid_request' });
    await client.closed;
    assert.equal((await client.answers(2)).length, 2);
  },
};

const AFTER_CLOSE: ClientCase = {
  row: 45,
  side: 'client',
  fault: 'The client announces its last request (`Connection: close`) and sends more.',
  sees: 'The answer and the end of the connection; what came after is not looked at.',
  modes: ['stream', 'whole'],
  async check({ arena, lane, mode }) {
    const before = lane.upstream.requests.length;
    const asked = chatBody({ model: lane.model, says: 'answer', stream: mode === 'stream' });
    const answers = await exchange(arena.url, Buffer.concat([post(asked, [CLOSE]), post(asked)]));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200],
    );
    const chats = lane.upstream.requests.slice(before).filter(isChat);
    assert.equal(chats.length, 1, 'one request was made of it');
  },
};

/** Row 45, as far as it is served. */
export const SERVED_FRAMING: readonly ClientCase[] = [
  ...SERVINGS,
  SLICED,
  PIPELINED_STREAMS,
  OLD_STREAM,
  PATIENT_GARBAGE,
  AFTER_CLOSE,
];
