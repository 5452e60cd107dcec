import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const executable = fileURLToPath(new URL('../../bin/obelisk.js', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-process-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [executable, ...args], {
    cwd: folder,
    env: { ...process.env, OBELISK_DATA_DIR: folder, OLLAMA_URL: 'http://127.0.0.1:1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

test('a reader that goes away ends the program quietly', async () => {
  const lines = Array.from(
    { length: 3000 },
    (_, index) => `  - {name: vault ${index}, path: ${'x'.repeat(80)}}`,
  );
  writeFileSync(path.join(folder, 'long.yaml'), `vaults:\n${lines.join('\n')}\n`);
  const child = start(['config', '-c', 'long.yaml', '--json']);
  const errors = textOf(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.equal(await errors, '');
});

test('Ctrl-C ends an answer with 130', { skip: process.platform === 'win32' && 'signals' }, async () => {
  const server = createServer((request, response) => {
    if (request.url === '/health/liveliness') response.end('"alive"');
    else if (request.url === '/obelisk/v1/vaults') {
      const links = { resolved: 0, ambiguous: 0, unresolved: 0 };
      const vault = {
        name: 'N',
        state: 'ready',
        notes: 1,
        chunks: 1,
        pendingNotes: 0,
        embeddedChunks: 0,
        links,
      };
      response.end(JSON.stringify({ data: [vault] }));
    } else {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"delta":{"content":"Twice"}}]}\n\n');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const facts = { url: `http://127.0.0.1:${address.port}`, pid: process.pid };
  writeFileSync(path.join(folder, 'server.json'), JSON.stringify(facts));
  const child = start(['ask', 'How often?']);
  const errors = textOf(child.stderr);
  const [text] = await once(child.stdout, 'data');
  assert.equal(String(text), 'Twice');
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  server.closeAllConnections();
  server.close();
  assert.equal(code, 130);
  assert.equal(await errors, '');
});
