import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Handler } from '../../src/wire/http.ts';
import { createNodeServer } from '../../src/wire/node-server.ts';
import type { OnError } from '../../src/wire/node-server.ts';
import { converse } from './answers.ts';
import type { Conversation } from './answers.ts';
import { CORPUS_FILES, bytesOf, inputOf, readCorpus } from './corpus.ts';
import { RequestOracle } from './request-oracle.ts';

const NAMES = [
  'host',
  'x',
  'connection',
  'content-length',
  'transfer-encoding',
  'x0',
  'cookie',
  'upgrade',
  'expect',
];

/** Tells all that a handler can know of its request. */
const echo: Handler = async (request, response) => {
  const body = await request.body(1024 * 1024);
  const seen = {
    method: request.method,
    path: request.path,
    query: request.query,
    headers: NAMES.map((name) => request.header(name) ?? null),
    remoteAddress: request.remoteAddress,
    body: body.toString('latin1'),
  };
  const bytes = Buffer.from(JSON.stringify(seen));
  response.head(201, {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    'x-echo': 'yes',
  });
  response.end(bytes);
};

const onError: OnError = (_error, _request, response) => {
  if (!response.started) response.head(500, { 'content-length': '0' });
  response.end();
};

async function listen(t: TestContext, codec: boolean): Promise<number> {
  const server = createNodeServer({ handler: echo, onError, ...(codec ? { codecServes: () => true } : {}) });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  return port;
}

const PROBE = Buffer.from('GET /probe HTTP/1.1\r\nHost: a\r\n\r\n');

test('every request of the corpus is answered identically on both transports, and leaves the connection as open', async (t) => {
  const oracle = new RequestOracle();
  const [codec, node] = await Promise.all([listen(t, true), listen(t, false)]);
  let answered = 0;
  for (const entry of readCorpus(CORPUS_FILES.requests)) {
    const { messages, refusal } = oracle.read({ ...inputOf(entry), ending: 'open' });
    const complete = messages.filter((message) => message.complete);
    const closes = refusal !== undefined || messages.some((message) => !message.keepAlive);
    // Nothing is said to a client that has not asked its whole question, and nothing to wait for.
    if (complete.length === 0 && !closes) continue;
    const probed = Buffer.concat([bytesOf(entry), PROBE]);
    // Node drops what comes in one piece with a request to upgrade, which it ignores.
    const idle =
      !closes && oracle.read({ pieces: [probed], ending: 'open' }).messages.length > messages.length;
    const conversation: Conversation = {
      // What is not kept open is answered by its closing; what is, by the answer to one more request.
      bytes: idle ? probed : bytesOf(entry),
      methods: [...complete.map((message) => message.method), ...(idle ? ['GET'] : [])],
      closes,
    };
    const expected = await converse(node, conversation);
    assert.deepEqual(await converse(codec, conversation), expected, entry.name);
    answered += expected.answers.length;
  }
  assert.ok(answered > 300, `${answered} answers were compared`);
});
