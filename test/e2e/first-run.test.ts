import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { startProgram, type Program } from '../program.ts';

const run = promisify(execFile);

describe('a first run with no configuration, no Ollama and no network', () => {
  let program: Program;
  before(async () => {
    program = await startProgram({ args: ['serve', '--port', '0'] });
  });
  after(() => program.stop());

  it('says where it listens, which models it found, and how to ask', () => {
    const output = program.stdout();
    assert.match(output, /http:\/\/127\.0\.0\.1:\d+/);
    assert.match(output, /vault\/obelisk-docs/);
    assert.match(output, /curl /);
  });

  it('prints a curl line that works when pasted', async () => {
    const line = program.stdout().match(/^\s*(curl .*(?:\\\n.*)*)$/m)?.[1];
    assert.ok(line, 'a curl line is printed');
    const { stdout } = await run('bash', ['-c', line]);
    assert.match(stdout, /\[1\]/, 'the answer carries a citation');
  });

  it('answers a question about the documentation with a citation of the right note', async () => {
    const response = await fetch(`${program.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'vault/obelisk-docs',
        messages: [{ role: 'user', content: 'Does it ever write inside a vault?' }],
      }),
    });
    assert.equal(response.status, 200);
    const completion = (await response.json()) as {
      choices: {
        message: { content: string; sources: { path: string; startLine: number; cited: boolean }[] };
      }[];
    };
    const message = completion.choices[0]?.message;
    assert.ok(message);
    assert.match(message.content, /never writes inside/i);
    assert.match(message.content, /\[\d+\]/);
    assert.ok(message.sources.some((source) => source.cited && source.path.endsWith('.md')));
  });

  it('says that the answer is not in the notes when it is not', async () => {
    const response = await fetch(`${program.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'vault/obelisk-docs',
        messages: [{ role: 'user', content: 'Who won the 1986 football world cup in Mexico?' }],
      }),
    });
    const completion = (await response.json()) as {
      choices: { message: { content: string; obelisk: { supported: boolean } } }[];
    };
    assert.equal(completion.choices[0]?.message.obelisk.supported, false);
    assert.doesNotMatch(completion.choices[0]?.message.content ?? '', /argentina/i);
  });

  it('is ready within the readiness answer and reports its indexing there', async () => {
    const response = await fetch(`${program.url}/health/readiness`);
    assert.equal(response.status, 200);
    const body = (await response.json()) as { status: string; vaults: { name: string; notes: number }[] };
    assert.equal(body.vaults[0]?.name, 'obelisk-docs');
    assert.ok((body.vaults[0]?.notes ?? 0) >= 10);
  });
});
