/** Files of models uploaded through the real program, in front of a scripted Ollama and a real one. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';

import { Ollama } from 'ollama';

import { startManaged } from '../managed-program.ts';
import type { ManagedProgram } from '../managed-program.ts';
import { findRealOllama, writeTinyGguf } from '../ollama-models.ts';

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: files uploaded to a real Ollama: ${skip}`);

const MEBI = 1024 * 1024;
/** What garbage may lie between two collections; a fraction of what is sent. */
const SPREAD_BYTES = 160 * MEBI;

/** An Ollama without models that takes any file and throws it away. */
async function startSink(): Promise<AsyncDisposable & { readonly url: string; taken(): number }> {
  let taken = 0;
  const server = createServer((request, response) => {
    if (request.url === '/api/version') response.end('{"version":"0.24.0"}');
    else if (!request.url?.startsWith('/api/blobs/')) response.end('{"models":[]}');
    else if (request.method === 'HEAD') response.writeHead(404).end();
    else {
      request.on('data', (piece: Buffer) => (taken += piece.length));
      request.on('end', () => response.writeHead(201).end());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    taken: () => taken,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const skipMemory = process.platform === 'linux' ? false : 'what a process takes is read from /proc';

test('a gigabyte goes through without being held', { skip: skipMemory }, async () => {
  await using sink = await startSink();
  await using program = await startManaged(sink.url);
  const { pid } = JSON.parse(readFileSync(path.join(program.dataDir, 'server.json'), 'utf8'));
  const mostBytes = (): number =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  const upload = async (mebibytes: number): Promise<void> => {
    let left = mebibytes;
    const body = new ReadableStream({
      pull(controller) {
        if (left === 0) controller.close();
        else controller.enqueue(Buffer.alloc(MEBI));
        left -= 1;
      },
    });
    const response = await fetch(`${program.url}/api/blobs/sha256:${'0'.repeat(64)}`, {
      method: 'POST',
      headers: program.headers(),
      body,
      duplex: 'half',
    });
    assert.equal(response.status, 201);
  };
  // What serves it is loaded with the first.
  await upload(1);
  const before = mostBytes();
  await upload(1_024);
  assert.equal(sink.taken(), 1_025 * MEBI);
  const more = mostBytes() - before;
  console.log(`resident memory grew by ${Math.round(more / MEBI)} MiB at most`);
  assert.ok(more < SPREAD_BYTES, `${more} bytes more`);
});

suite('a real Ollama makes models of uploaded files', { skip }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-blobs-'));
  const file = path.join(folder, 'tiny.gguf');
  const model = `obelisk-test-uploaded-${process.pid}:latest`;
  let program: ManagedProgram;
  let ollama: Ollama;

  before(async () => {
    await writeTinyGguf(file, 'llama');
    program = await startManaged('url' in real ? real.url : '');
    ollama = new Ollama({ host: program.url, headers: program.headers() });
  });

  after(async () => {
    await ollama.delete({ model });
    await program[Symbol.asyncDispose]();
    if ('url' in real) await real[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a file is uploaded, made a model of, and answers', async () => {
    const bytes = await readFile(file);
    // Other weights than any model has, so that its bytes are not there yet.
    bytes.writeUInt16LE(process.pid % 65_536, bytes.length - 4);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const send = (method: string, name: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
      fetch(`${program.url}/api/blobs/${name}`, {
        method,
        headers: program.headers(),
        ...(body === undefined ? {} : { body }),
      });
    assert.equal((await send('HEAD', digest)).status, 404);
    // The package does not declare what it sends on all the same.
    const files = { files: { 'tiny.gguf': digest } };
    const early = ollama.create({ model, ...files });
    await assert.rejects(early, { status_code: 400, message: /does not have sha256/ });
    assert.equal((await send('POST', digest, bytes)).status, 201);
    assert.equal((await send('HEAD', digest)).status, 200);
    const wrong = await send('POST', `sha256:${'0'.repeat(64)}`, bytes);
    assert.equal(wrong.status, 400);
    assert.match(await wrong.text(), /digest mismatch/);
    const made = await ollama.create({ model, ...files, system: 'Be brief.', parameters: { seed: 1 } });
    assert.equal(made.status, 'success');
    const { system, details } = await ollama.show({ model });
    assert.deepEqual([system, details.family], ['Be brief.', 'llama']);
    const { message } = await ollama.chat({ model, messages: [{ role: 'user', content: 'hi' }] });
    assert.ok(message.content.length > 0);
  });
});
