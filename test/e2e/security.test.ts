import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { runProgram, startProgram, type Program } from '../program.ts';

const BODY = JSON.stringify({ model: 'canned', messages: [{ role: 'user', content: 'hi' }] });

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
};

type Ask = {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** Asks with headers that `fetch` does not let through. */
function ask(program: Program, { path, method = 'GET', headers = {}, body }: Ask): Promise<Answer> {
  const { hostname, port } = new URL(program.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
function exchange(program: Program, bytes: string): Promise<string> {
  const { hostname, port } = new URL(program.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

const run = promisify(execFile);
const asJson = { 'content-type': 'application/json' };
const chat = (headers: Readonly<Record<string, string>>): Ask => ({
  path: '/v1/chat/completions',
  method: 'POST',
  headers: { ...asJson, ...headers },
  body: BODY,
});

for (const key of ['sk-0123456789abcdef', 'a.key/without=the+usual~start']) {
  describe(`a server open to the network, with the key ${key.slice(0, 5)}…`, () => {
    let folder: string;
    let program: Program;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'obelisk-security-'));
      await writeFile(
        join(folder, 'obelisk.yaml'),
        `vaults: []
general_settings: {master_key: os.environ/SERVER_KEY}
server: {host: 0.0.0.0, allowed_hosts: [notes.example], allowed_origins: ["https://notes.example"]}
model_list:
  - model_name: canned
    litellm_params: {model: openai/gpt-4o, mock_response: Hello}
`,
      );
      program = await startProgram({
        args: ['serve', '--port', '0', '--config', join(folder, 'obelisk.yaml')],
        env: { SERVER_KEY: key },
      });
    });
    after(async () => {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it('answers to the key alone, as a bearer or as x-api-key', async () => {
      for (const [headers, status] of [
        [{}, 401],
        [{ authorization: 'Bearer wrong' }, 401],
        [{ authorization: `Basic ${key}` }, 401],
        [{ authorization: `Bearer ${key}` }, 200],
        [{ 'x-api-key': key }, 200],
      ] as const) {
        const answer = await ask(program, chat(headers));
        assert.equal(answer.status, status, answer.text);
        if (status === 401) assert.match(answer.text, /"code":"invalid_api_key"/);
      }
    });

    it('keeps everything but life signs behind the key', async () => {
      for (const path of ['/v1/models', '/models/canned', '/metrics', '/obelisk/v1/vaults']) {
        assert.equal((await ask(program, { path })).status, 401, path);
      }
      assert.equal((await ask(program, { path: '/health/liveliness' })).status, 200);
      assert.deepEqual(JSON.parse((await ask(program, { path: '/health/readiness' })).text), {
        status: 'ready',
      });
    });

    it('refuses rebound names and foreign pages even with the key, and lets Obsidian in', async () => {
      const authorization = `Bearer ${key}`;
      for (const [headers, status] of [
        [{ host: 'evil.example' }, 403],
        [{ host: 'notes.example' }, 200],
        [{ origin: 'https://evil.example' }, 403],
        [{ origin: 'null' }, 403],
        [{ origin: 'https://notes.example' }, 200],
        [{ origin: 'app://obsidian.md' }, 200],
      ] as const) {
        const answer = await ask(program, chat({ authorization, ...headers }));
        assert.equal(answer.status, status, JSON.stringify(headers));
        const reader = status === 200 && 'origin' in headers ? headers.origin : undefined;
        assert.equal(answer.headers['access-control-allow-origin'], reader);
      }
    });

    it('answers a preflight without the key, for pages that may', async () => {
      const preflight = (origin: string): Promise<Answer> =>
        ask(program, {
          path: '/v1/chat/completions',
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization,content-type,x-stainless-os',
          },
        });
      const allowed = await preflight('app://obsidian.md');
      assert.equal(allowed.status, 204);
      assert.equal(allowed.headers['access-control-allow-origin'], 'app://obsidian.md');
      assert.match(String(allowed.headers['access-control-allow-headers']), /authorization.*x-stainless-os/);
      assert.equal((await preflight('https://evil.example')).status, 403);
    });

    it('prints a curl line that opens it when pasted, by a file that only its owner may read', async () => {
      const line = /^ *(curl .*)$/m.exec(program.stdout())?.[1] ?? '';
      assert.match((await run('bash', ['-c', line])).stdout, /Hello/);
      const token = /cat '([^']+)'/.exec(line)?.[1] ?? '';
      assert.equal((await stat(token)).mode & 0o777, 0o600);
    });

    it('prints the key nowhere', async () => {
      const { stdout } = await runProgram({
        args: ['config', '--json', '--config', join(folder, 'obelisk.yaml')],
        env: { SERVER_KEY: key },
      });
      for (const text of [program.stdout(), program.stderr(), stdout]) assert.ok(!text.includes(key));
    });
  });
}

describe('a server on this machine alone', () => {
  let program: Program;
  before(async () => {
    program = await startProgram({ args: ['serve', '--port', '0'] });
  });
  after(() => program.stop());

  it('needs no key, and a page elsewhere still cannot use it', async () => {
    assert.equal((await ask(program, { path: '/v1/models' })).status, 200);
    assert.equal((await ask(program, { path: '/v1/models', headers: { host: 'evil.example' } })).status, 403);
    const simple = { ...chat({}), headers: { 'content-type': 'text/plain', origin: 'https://evil.example' } };
    assert.equal((await ask(program, simple)).status, 403);
    assert.equal((await ask(program, { ...simple, headers: { 'content-type': 'text/plain' } })).status, 415);
  });

  it('lets no client choose a host or a key', async () => {
    for (const field of ['api_base', 'base_url', 'api_key', 'extra_headers']) {
      const body = JSON.stringify({ model: 'extractive', messages: [], [field]: 'http://127.0.0.1:1' });
      const answer = await ask(program, { ...chat({}), body });
      assert.equal(answer.status, 400);
      assert.match(answer.text, new RegExp(`"param":"${field}"`));
    }
  });

  it('speaks HTTP as old and odd clients do', async () => {
    const host = 'Host: localhost\r\n';
    const close = 'Connection: close\r\n';
    const old = await exchange(program, 'GET /health/liveliness HTTP/1.0\r\n\r\n');
    assert.match(old, /^HTTP\/1\.1 200 .*"I'm alive!"$/s);
    const head = await exchange(program, `HEAD /v1/models HTTP/1.1\r\n${host}${close}\r\n`);
    assert.match(head, /^HTTP\/1\.1 200 .*content-length: [1-9]\d*\r\n.*\r\n\r\n$/s);
    const body = '{"model":"nope","messages":[]}';
    const post = `POST /v1/chat/completions HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;
    const size = body.length.toString(16);
    const chunked = `${post}${close}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;
    assert.match(await exchange(program, chunked), /^HTTP\/1\.1 404 .*model_not_found/s);
    const expecting = `${post}${close}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    assert.match(await exchange(program, expecting), /^HTTP\/1\.1 100 .*HTTP\/1\.1 404 /s);
    const both = `${post}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`;
    assert.match(await exchange(program, both), /^HTTP\/1\.1 400 .*not valid HTTP/s, 'request smuggling');
    const piped = `GET /health/liveliness HTTP/1.1\r\n${host}\r\n${post}${close}Content-Length: ${body.length}\r\n\r\n${body}`;
    assert.match(await exchange(program, piped), /^HTTP\/1\.1 200 .*alive.*HTTP\/1\.1 404 /s);
  });
});
