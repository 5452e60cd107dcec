import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startUpstream } from '../gateway.ts';
import { configOf, serving } from '../served-program.ts';

const CLIENTS = 24;
const REQUESTS = 25;

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Between 2 and 300 KB, different for every request. */
const lengthOf = (client: number, index: number): number =>
  2_000 + ((client * 7_919 + index * 104_729) % 298_000);

async function bytesOf(message: IncomingMessage, pausing: boolean): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) {
    // Then what waits for the upstream lies in the gateway.
    if (pausing && parts.length % 3 === 0) await sleep(3);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

/** Tells what it was sent, and as much text of that client's as the body was long; some come too early. */
async function answer(incoming: IncomingMessage, outgoing: ServerResponse, index: number): Promise<void> {
  outgoing.setHeader('content-type', 'application/json');
  if (index % 7 === 6) {
    outgoing.end('{"choices":[{"message":{"content":"early"}}]}');
    return;
  }
  if (index % 11 === 10) {
    outgoing.writeHead(503).end('{"error":{"message":"busy"}}');
    return;
  }
  const body = await bytesOf(incoming, index % 3 === 0);
  const { messages } = JSON.parse(body.toString()) as { messages: [{ content: string }] };
  const [{ content }] = messages;
  const said = { content, digest: digestOf(body) };
  outgoing.end(JSON.stringify({ choices: [{ message: said }] }));
}

type Answered = { readonly status: number; readonly text: string };

async function ask(origin: string, agent: Agent, body: string): Promise<Answered> {
  const request = httpRequest(`${origin}/v1/chat/completions`, {
    agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: (await bytesOf(response, false)).toString() };
}

const answerOf = (user: string): string =>
  JSON.stringify({ choices: [{ message: { content: user.repeat(Math.floor(200_000 / user.length)) } }] });

test('an answer that its client has not taken stays as it is while others are served', async () => {
  await using upstream = await startUpstream((response, { body }) => {
    response.setHeader('content-type', 'application/json');
    response.end(answerOf((JSON.parse(body) as { user: string }).user));
  });
  await using program = await serving(configOf(new URL(upstream.baseUrl).origin));
  const { hostname, port } = new URL(program.url);
  const bodyOf = (user: string): string => JSON.stringify({ model: 'm', messages: [], user });
  const requestOf = (user: string): string => {
    const body = bodyOf(user);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n`;
    return `${head}content-length: ${body.length}\r\n\r\n${body}`;
  };
  const users = Array.from({ length: 80 }, (_, index) => `<first.${index}>`);
  const slow = connect({ host: hostname, port: Number(port) }).pause();
  slow.write(users.map(requestOf).join(''));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let index = 0; index < 80; index += 1) {
    const { text } = await ask(program.url, agent, bodyOf(`<second.${index}>`));
    assert.equal(text, answerOf(`<second.${index}>`));
  }
  agent.destroy();
  let got = '';
  for await (const part of slow.setEncoding('latin1')) {
    got += part as string;
    if (got.endsWith(answerOf(users.at(-1) ?? ''))) break;
  }
  const texts = got.split(/HTTP\/1\.1 200 OK(?:\r\n.+)+\r\n\r\n/).slice(1);
  assert.equal(texts.length, users.length);
  texts.forEach((text, index) => assert.ok(text === answerOf(users[index] ?? ''), `answer ${index}`));
});

test('bodies of many clients never mix, though their memory is used again', async () => {
  let asked = 0;
  const upstream = createServer((incoming, outgoing) => void answer(incoming, outgoing, asked++));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  await using program = await serving(configOf(`http://127.0.0.1:${port}`));
  const outcomes = { whole: 0, early: 0, failed: 0 };
  const talk = async (client: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let index = 0; index < REQUESTS; index += 1) {
      const mark = `<${client}.${index}>`;
      const content = mark.repeat(Math.ceil(lengthOf(client, index) / mark.length));
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] });
      const { status, text } = await ask(program.url, agent, body);
      if (status !== 200) outcomes.failed += 1;
      else if (text.includes('"early"')) outcomes.early += 1;
      else {
        const sent = Buffer.from(body.replace('"m"', '"x"'));
        const expected = { choices: [{ message: { content, digest: digestOf(sent) } }] };
        assert.equal(text, JSON.stringify(expected), `${mark} got its own words`);
        outcomes.whole += 1;
      }
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => talk(client)));
  upstream.closeAllConnections();
  upstream.close();
  assert.ok(outcomes.whole > 300 && outcomes.early > 20, JSON.stringify(outcomes));
});
