import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createObelisk, ObeliskError, type Obelisk } from '../../src/main.ts';
import { json, ollama, openAi } from '../upstream-scripts.ts';
import { startUpstream, type TestUpstream } from '../upstream.ts';

/** The appendix of the design document, in TypeScript, against servers that remember what they were asked. */
describe('the library, by the examples of the design document', () => {
  let folder: string;
  let vault: string;
  let local: TestUpstream;
  let proxy: TestUpstream;
  let obelisk: Obelisk;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'obelisk-library-'));
    vault = join(folder, 'vault');
    await mkdir(vault);
    await writeFile(
      join(vault, 'Machine learning.md'),
      '# Machine learning\n\nMachine learning finds patterns in examples instead of following rules.\n',
    );
    local = await startUpstream(
      ollama([{ name: 'llama3:latest' }], ['Patterns', ' from', ' examples', ' [1].']),
    );
    const cloud = openAi(['From', ' the', ' cloud', ' [1].']);
    proxy = await startUpstream((request, index) => {
      if (request.path === '/v1/models')
        return [json({ object: 'list', data: [{ id: 'gpt-4' }, { id: 'llama3' }] })];
      return cloud(request, index);
    });
    obelisk = await createObelisk({
      vaults: [{ name: 'notes', path: vault }],
      dataDir: join(folder, 'data'),
      environment: {
        OLLAMA_URL: local.origin,
        LITELLM_API_URL: `${proxy.origin}/v1`,
        LITELLM_API_KEY: 'sk-library',
        MODEL_PROVIDER: 'smart',
      },
    });
  });
  after(async () => {
    // What did not start has nothing to end, and must not keep the rest running.
    await obelisk?.close();
    await local?.close();
    await proxy?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const chats = (server: TestUpstream): readonly { model: string; options?: Record<string, unknown> }[] =>
    server.requests
      .filter((request) => request.method === 'POST' && /chat/.test(request.path))
      .map((request) => request.json() as { model: string; options?: Record<string, unknown> });
  const question = 'What is machine learning?';

  it('asks a local model at Ollama', async () => {
    const answer = await obelisk.query(question, { model: 'llama3' });
    assert.equal(answer.text, 'Patterns from examples [1].');
    assert.equal(chats(local).at(-1)?.model, 'llama3:latest');
    assert.equal(answer.sources[0]?.path, 'Machine learning.md');
    assert.equal(answer.sources[0]?.startLine, 3);
    assert.equal(answer.sources[0]?.cited, true);
    assert.equal(answer.supported, true);
  });

  it('asks a cloud model at LiteLLM, with its key', async () => {
    const answer = await obelisk.query(question, { model: 'gpt-4' });
    assert.equal(answer.text, 'From the cloud [1].');
    assert.equal(chats(proxy).at(-1)?.model, 'gpt-4');
    assert.equal(proxy.requests.at(-1)?.headers['authorization'], 'Bearer sk-library');
  });

  it('understands an explicit prefix', async () => {
    const before = chats(local).length;
    await obelisk.query(question, { model: 'ollama/llama3' });
    assert.equal(chats(local).length, before + 1);
  });

  it('goes where the hint says, whatever the name suggests', async () => {
    const before = chats(proxy).length;
    const answer = await obelisk.query(question, { model: 'llama3', providerHint: 'litellm' });
    assert.equal(answer.text, 'From the cloud [1].');
    assert.equal(chats(proxy).length, before + 1);
    assert.equal(chats(proxy).at(-1)?.model, 'llama3');
  });

  it('hands Ollama’s options on', async () => {
    await obelisk.query(question, { model: 'llama3', options: { top_k: 7, num_ctx: 4096 } });
    assert.equal(chats(local).at(-1)?.options?.['top_k'], 7);
  });

  it('streams the same answer piece by piece', async () => {
    const parts = [];
    for await (const part of obelisk.stream(question, { model: 'llama3' })) parts.push(part);
    assert.equal(
      parts
        .filter((part) => part.type === 'text')
        .map((part) => part.text)
        .join(''),
      'Patterns from examples [1].',
    );
    assert.equal(parts.at(-1)?.type, 'end');
  });

  it('tells at run time what a provider can do, and uses it', async () => {
    const provider = obelisk.providers.getProvider('gpt-4');
    const messages = [{ role: 'user', content: 'Hello' }] as const;
    assert.equal(provider.getCapabilities().supportsStreaming, true);
    let text = '';
    for await (const piece of provider.streamCompletion(messages)) text += piece;
    assert.equal(text, 'From the cloud [1].');
    assert.equal(await provider.completion(messages), text);
    assert.equal(obelisk.providers.getProvider('gpt-4'), provider, 'providers are cached');
    const direct = obelisk.providers.getProvider('llama3', { providerHint: 'ollama' });
    assert.equal(direct.getCapabilities().supportsModelManagement, true);
    assert.deepEqual(
      (await direct.management?.list())?.map((model) => model.name),
      ['llama3:latest'],
    );
  });

  it('throws an ObeliskError with a code for a model that is not there', async () => {
    await assert.rejects(
      obelisk.query(question, { model: 'llama4' }),
      (error) =>
        error instanceof ObeliskError && error.code === 'model_not_found' && /llama3/.test(error.message),
    );
  });

  it('writes nothing inside the vault', async () => {
    assert.deepEqual(await readdir(vault), ['Machine learning.md']);
  });
});
