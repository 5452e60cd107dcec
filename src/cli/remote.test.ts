import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { runCli } from '../../test/command-line.ts';

type Route = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const STATUS = {
  name: 'Notes',
  state: 'ready',
  notes: 2,
  chunks: 5,
  pendingNotes: 0,
  embeddedChunks: 0,
  links: { resolved: 1, ambiguous: 0, unresolved: 0 },
  warnings: 0,
};
const SOURCE = {
  index: 1,
  vault: 'Notes',
  path: 'Bread.md',
  title: 'Bread',
  headingPath: ['Bread'],
  startLine: 3,
  endLine: 3,
  obsidianUrl: 'obsidian://x',
  url: '/x',
  cited: true,
};

/** A server that speaks Obelisk's API on a real socket, and a data directory that names it. */
async function startServer(
  t: TestContext,
  routes: Readonly<Record<string, Route>>,
): Promise<{ readonly dataDir: string; readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const [route = ''] = (request.url ?? '').split('?');
      seen.push(
        `${request.method} ${request.url} ${request.headers.authorization ?? 'no key'} ${body}`.trim(),
      );
      const handler = { ...DEFAULT_ROUTES, ...routes }[route];
      if (handler === undefined) response.writeHead(404).end();
      else handler(request, response, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const url = `http://127.0.0.1:${address.port}`;
  const dataDir = mkdtempSync(path.join(tmpdir(), 'obelisk-remote-'));
  writeFileSync(path.join(dataDir, 'token'), 'token-1\n', { mode: 0o600 });
  const facts = { url, pid: process.pid, tokenFile: 'token', vaults: [{ name: 'Notes', path: dataDir }] };
  writeFileSync(path.join(dataDir, 'server.json'), JSON.stringify(facts));
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { dataDir, url, seen };
}

const json =
  (value: unknown): Route =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

const DEFAULT_ROUTES: Readonly<Record<string, Route>> = {
  '/health/liveliness': json("I'm alive!"),
  '/obelisk/v1/vaults': json({ object: 'list', data: [STATUS] }),
};

function chunkOf(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'x', model: 'vault/Notes', choices })}\n\n`;
}

const stream =
  (...parts: readonly string[]): Route =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of parts) response.write(part);
    response.end();
  };

const ask = (given: readonly string[], dataDir: string) =>
  runCli(['ask', ...given], { environment: { OBELISK_DATA_DIR: dataDir } });

test('a question goes to the running server, with the key of its token file', async (t) => {
  const { dataDir, seen } = await startServer(t, {
    '/v1/chat/completions': stream(
      ': ping\n\n',
      chunkOf({ role: 'assistant', content: '' }),
      chunkOf({ content: 'Twice a ' }),
      chunkOf({ content: 'day [1].' }),
      chunkOf({ sources: [SOURCE, { ...SOURCE, index: 2, cited: false }], obelisk: { supported: true } }),
      chunkOf({}, 'stop'),
      'data: [DONE]\n\n',
    ),
  });
  const { code, stdout, stderr } = await ask(['How often?', '--model', 'extractive'], dataDir);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  assert.equal(stdout, 'Twice a day [1].\n\nSources\n[1] Bread.md#Bread (line 3)\n');
  assert.equal(
    seen.at(-1),
    'POST /v1/chat/completions Bearer token-1 {"model":"vault/Notes:extractive","messages":[{"role":"user","content":"How often?"}],"stream":true}',
  );
});

test('an answer that ends without a finish reason is an error, not a short answer', async (t) => {
  const { dataDir } = await startServer(t, { '/v1/chat/completions': stream(chunkOf({ content: 'Twice' })) });
  const { code, stderr } = await ask(['How often?'], dataDir);
  assert.equal(code, 1);
  assert.match(stderr, /ended its answer before it was complete/);
});

test('an error in the stream and an error answer are told in the server’s words', async (t) => {
  const inStream = await startServer(t, {
    '/v1/chat/completions': stream('data: {"error":{"message":"the model ran out of memory"}}\n\n'),
  });
  assert.match((await ask(['x'], inStream.dataDir)).stderr, /the model ran out of memory/);
  const refused = await startServer(t, {
    '/v1/chat/completions': (_request, response) => {
      response.writeHead(404).end('{"error":{"message":"no model llam3","code":"model_not_found"}}');
    },
  });
  const { code, stderr } = await ask(['x', '--json'], refused.dataDir);
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stderr), { error: { code: 'model_not_found', message: 'no model llam3' } });
});

test('nothing in the notes ends with 3 over HTTP too', async (t) => {
  const { dataDir } = await startServer(t, {
    '/v1/chat/completions': stream(
      chunkOf({ content: 'Not there.', sources: [], obelisk: { supported: false } }, 'stop'),
    ),
  });
  assert.equal((await ask(['x'], dataDir)).code, 3);
});

test('a folder that the server serves is found by its path', async (t) => {
  const { dataDir, seen } = await startServer(t, {
    '/obelisk/v1/search': json({
      hits: [{ ...SOURCE, text: 'Feed it', score: 1, coverage: 1 }],
      supported: true,
      tookMs: 2,
    }),
  });
  const { stdout } = await runCli(['search', '--vault', dataDir, '--limit', '2', 'a&b'], {
    environment: { OBELISK_DATA_DIR: dataDir },
  });
  assert.equal(stdout, 'Bread.md#Bread (line 3)\n  Feed it\n');
  assert.match(seen.at(-1) ?? '', /^GET \/obelisk\/v1\/search\?vault=Notes&q=a%26b&limit=2 Bearer token-1/);
});

test('index waits until the server has caught up, and never rebuilds under it', async (t) => {
  let looks = 0;
  const { dataDir } = await startServer(t, {
    '/obelisk/v1/vaults': (...args) => {
      looks += 1;
      const state = looks < 3 ? 'indexing' : 'ready';
      json({ data: [{ ...STATUS, state, pendingNotes: 3 }] })(...args);
    },
  });
  const environment = { OBELISK_DATA_DIR: dataDir };
  const waited = await runCli(['index'], { environment });
  assert.equal(waited.code, 0);
  assert.match(waited.stdout, /Notes +ready/);
  const rebuilt = await runCli(['index', '--rebuild'], { environment });
  assert.equal(rebuilt.code, 1);
  assert.match(rebuilt.stderr, /stop it before you rebuild/);
});

test('models come from the running server', async (t) => {
  const data = [
    { id: 'llama3:latest', owned_by: 'ollama', mode: 'chat', max_input_tokens: 8192, default: 'chat' },
    { id: 'vault/Notes', owned_by: 'obelisk', mode: 'chat' },
  ];
  const { dataDir } = await startServer(t, { '/v1/models': json({ object: 'list', data }) });
  const { stdout } = await runCli(['models', '--json'], { environment: { OBELISK_DATA_DIR: dataDir } });
  const rows: unknown = JSON.parse(stdout);
  assert.ok(Array.isArray(rows));
  assert.deepEqual(
    rows.map((row: { name: string; kind: string }) => [row.name, row.kind]),
    [
      ['llama3:latest', 'chat'],
      ['vault/Notes', 'vault'],
    ],
  );
});

test('Ctrl-C in the middle of an answer ends with 130 and closes the connection', async (t) => {
  const closed = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const { dataDir } = await startServer(t, {
    '/v1/chat/completions': (_request, response) => {
      response.on('close', () => closed.resolve());
      response.writeHead(200).write(chunkOf({ content: 'Twice' }));
      setTimeout(() => stopping.abort(), 50);
    },
  });
  const { code, stderr } = await runCli(['ask', 'x'], {
    environment: { OBELISK_DATA_DIR: dataDir },
    signal: stopping.signal,
  });
  await closed.promise;
  assert.equal(code, 130);
  assert.equal(stderr, '');
});

test('a file that names another machine, or a server that is gone, counts for nothing', async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'obelisk-remote-'));
  for (const url of ['http://192.0.2.1:4000', 'http://127.0.0.1:1', 'nonsense']) {
    writeFileSync(path.join(dataDir, 'server.json'), JSON.stringify({ url, pid: 1 }));
    const { code, stderr } = await ask(['x'], dataDir);
    assert.equal(code, 1);
    assert.match(stderr, /was not expected to open a program/, 'the work was to be done in this process');
  }
  rmSync(dataDir, { recursive: true });
});
