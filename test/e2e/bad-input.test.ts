import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runProgram, startProgram, type Program } from '../program.ts';

type ErrorBody = { error: { message: string; type: string; param: string | null; code: string } };

describe('bad input gets a clear error and nothing is lost', () => {
  let program: Program;
  let vault: string;
  before(async () => {
    vault = await mkdtemp(join(tmpdir(), 'obelisk-odd-'));
    await writeFile(
      join(vault, 'Good.md'),
      '---\nbad: [yaml\n---\n# Good\n\nThe lighthouse keeper is called Amundsen.\n',
    );
    await symlink(vault, join(vault, 'loop'));
    await symlink(tmpdir(), join(vault, 'outside'));
    program = await startProgram({ args: ['serve', '--port', '0', '--vault', vault] });
  });
  after(async () => {
    await program.stop();
    await rm(vault, { recursive: true, force: true });
  });

  async function post(
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: ErrorBody }> {
    const response = await fetch(`${program.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: body as string,
    });
    return { status: response.status, body: (await response.json()) as ErrorBody };
  }

  const cases: readonly [string, string, number][] = [
    ['malformed JSON', '{"model":', 400],
    ['an empty body', '', 400],
    ['a JSON array', '[]', 400],
    ['a wrong type', '{"model":7,"messages":[]}', 400],
    ['messages that are no list', '{"model":"extractive","messages":"hi"}', 400],
    ['duplicate keys', '{"model":"a","model":"b","messages":[]}', 400],
    ['a depth bomb', `{"model":"extractive","messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400],
    ['a client-chosen host', '{"model":"extractive","messages":[],"api_base":"http://127.0.0.1:1"}', 400],
    ['an unknown model', '{"model":"no-such-model","messages":[{"role":"user","content":"hi"}]}', 404],
  ];
  for (const [name, body, status] of cases) {
    it(`answers ${name} with ${status} in OpenAI's form`, async () => {
      const answer = await post(body);
      assert.equal(answer.status, status);
      assert.ok(answer.body.error.message.length > 10);
      assert.equal(typeof answer.body.error.type, 'string');
    });
  }

  it('refuses a body past 16 MiB with 413', async () => {
    const answer = await post(`{"model":"${'a'.repeat(17 * 1024 * 1024)}"}`);
    assert.equal(answer.status, 413);
  });

  it('answers an unknown route with 404 and a wrong method with 405', async () => {
    assert.equal((await fetch(`${program.url}/v1/nonsense`)).status, 404);
    assert.equal((await fetch(`${program.url}/v1/chat/completions`)).status, 405);
  });

  it('refuses the request of a web page elsewhere, and a rebound host name', async () => {
    const url = new URL(program.url);
    const status = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        request({ host: url.hostname, port: url.port, path: '/v1/models', headers }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
    assert.equal(await status({ host: 'evil.example' }), 403);
    assert.equal(await status({ host: url.host, origin: 'https://evil.example' }), 403);
    assert.equal(await status({ host: url.host, origin: 'app://obsidian.md' }), 200);
    assert.equal(await status({ host: url.host }), 200);
  });

  it('indexes the good note of a vault with bad YAML, a symlink loop and a symlink out', async () => {
    const models = (await (await fetch(`${program.url}/v1/models`)).json()) as { data: { id: string }[] };
    const model = models.data.find((entry) => entry.id.startsWith('vault/'))?.id;
    const response = await fetch(`${program.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model,
        messages: [{ role: 'user', content: 'What is the lighthouse keeper called?' }],
      }),
    });
    assert.match(await response.text(), /Amundsen/);
  });
});

describe('starting with something wrong', () => {
  it('names a vault that does not exist', async () => {
    const { code, stderr } = await runProgram({
      args: ['serve', '--port', '0', '--vault', '/no/such/vault'],
    });
    assert.equal(code, 1);
    assert.match(stderr, /\/no\/such\/vault/);
  });

  it('serves a vault of zero notes', async () => {
    const vault = await mkdtemp(join(tmpdir(), 'obelisk-empty-'));
    const program = await startProgram({ args: ['serve', '--port', '0', '--vault', vault] });
    assert.equal((await fetch(`${program.url}/health/readiness`)).status, 200);
    await program.stop();
    await rm(vault, { recursive: true });
  });

  it('names a port that is taken', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as AddressInfo;
    const { code, stderr } = await runProgram({ args: ['serve', '--port', String(port)] });
    blocker.close();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${port}`));
    assert.match(stderr, /--port/);
  });

  it('refuses to bind beyond loopback without a master key', async () => {
    const { code, stderr } = await runProgram({ args: ['serve', '--host', '0.0.0.0', '--port', '0'] });
    assert.equal(code, 1);
    assert.match(stderr, /master_key/);
  });

  it('refuses an unknown key with file, line and the nearest known one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'obelisk-config-'));
    await writeFile(join(folder, 'obelisk.yaml'), 'server:\n  prot: 4001\n');
    const { code, stderr } = await runProgram({ args: ['config'], cwd: folder });
    assert.notEqual(code, 0);
    assert.match(stderr, /obelisk\.yaml:2.*port/s);
    await rm(folder, { recursive: true });
  });
});
