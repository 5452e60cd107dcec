import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { startProgram, type Program } from '../program.ts';

describe('the official openai client against the running program', () => {
  let program: Program;
  let client: OpenAI;
  let vault: string;
  before(async () => {
    vault = await mkdtemp(join(tmpdir(), 'obelisk-vault-'));
    await writeFile(
      join(vault, 'Bread.md'),
      '# Bread\n\n## Sourdough\n\nFeed the starter twice a day with rye flour.\n\n## Rye\n\nRye needs more water than wheat.\n',
    );
    await writeFile(join(vault, 'Bicycles.md'), '# Bicycles\n\nThe chain is oiled every 200 kilometres.\n');
    program = await startProgram({ args: ['serve', '--port', '0', '--vault', vault] });
    client = new OpenAI({ baseURL: `${program.url}/v1`, apiKey: 'unused' });
  });
  after(async () => {
    await program.stop();
    await rm(vault, { recursive: true, force: true });
  });

  const vaultModel = async (): Promise<string> => {
    const models = await client.models.list();
    const id = models.data.map((model) => model.id).find((name) => name.startsWith('vault/'));
    assert.ok(id);
    return id;
  };

  it('lists the vault as a model and retrieves it by id', async () => {
    const id = await vaultModel();
    assert.equal((await client.models.retrieve(id)).id, id);
  });

  it('gets a cited answer whose annotations point at the citation in the text', async () => {
    const completion = await client.chat.completions.create({
      model: await vaultModel(),
      messages: [{ role: 'user', content: 'How often is the starter fed?' }],
    });
    const message = completion.choices[0]?.message;
    assert.match(message?.content ?? '', /twice a day/);
    const annotation = message?.annotations?.[0];
    assert.equal(annotation?.type, 'url_citation');
    const cited = (message?.content ?? '').slice(
      annotation?.url_citation.start_index,
      annotation?.url_citation.end_index,
    );
    assert.match(cited, /\[1\]/);
    const sources = (message as unknown as { sources: Record<string, unknown>[] }).sources;
    assert.equal(sources[0]?.['path'], 'Bread.md');
    assert.deepEqual(sources[0]?.['headingPath'], ['Bread', 'Sourdough']);
    assert.equal(sources[0]?.['endLine'], 5);
    assert.match(String(sources[0]?.['obsidianUrl']), /^obsidian:\/\/open\?vault=/);
  });

  it('streams with one id, the role first, one finish reason and a usage chunk without choices', async () => {
    const stream = await client.chat.completions.create({
      model: await vaultModel(),
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'When is the chain oiled?' }],
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
    assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant');
    assert.deepEqual(
      chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.finish_reason)).filter(Boolean),
      ['stop'],
    );
    assert.deepEqual(chunks.at(-1)?.choices, []);
    assert.equal(typeof chunks.at(-1)?.usage?.total_tokens, 'number');
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    assert.match(text, /200 kilometres/);
  });

  it('throws NotFoundError for an unknown model and names the nearest', async () => {
    const id = await vaultModel();
    await assert.rejects(
      client.chat.completions.create({ model: `${id}x`, messages: [{ role: 'user', content: 'hi' }] }),
      (error) => error instanceof OpenAI.NotFoundError && error.message.includes(id),
    );
  });

  it('throws BadRequestError when tools are offered to a vault', async () => {
    await assert.rejects(
      client.chat.completions.create({
        model: await vaultModel(),
        messages: [{ role: 'user', content: 'hi' }],
        tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      }),
      (error) => error instanceof OpenAI.BadRequestError && /tools/.test(error.message),
    );
  });

  it(
    'answers from the file as it is after an edit, a rename and a deletion',
    { timeout: 30_000 },
    async () => {
      const model = await vaultModel();
      const ask = async (content: string): Promise<{ text: string; paths: string[] }> => {
        const completion = await client.chat.completions.create({
          model,
          messages: [{ role: 'user', content }],
        });
        const message = completion.choices[0]?.message as unknown as {
          content: string;
          sources?: { path: string; cited: boolean }[];
        };
        return {
          text: message.content,
          paths: (message.sources ?? []).filter((source) => source.cited).map((source) => source.path),
        };
      };
      const until = async (test: () => Promise<boolean>): Promise<void> => {
        while (!(await test())) await new Promise((resolve) => setTimeout(resolve, 200));
      };
      await writeFile(join(vault, 'Bicycles.md'), '# Bicycles\n\nThe chain is oiled every 350 kilometres.\n');
      await until(async () => /350 kilometres/.test((await ask('When is the chain oiled?')).text));
      await rm(join(vault, 'Bicycles.md'));
      const gone = await ask('When is the chain oiled?');
      assert.doesNotMatch(gone.text, /350 kilometres/, 'a deleted note is gone from the next answer');
      assert.ok(!gone.paths.includes('Bicycles.md'));
    },
  );
});
