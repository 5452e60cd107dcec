import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { ChatEvent, ChatRequest, ChatWriter } from '../../providers/chat.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { silentLogger } from '../../telemetry/log.ts';
import type { VaultLibrary } from '../library.ts';
import { createVaultLibrary } from '../service/vault-library.ts';
import { createVaultWriter } from './answer.ts';

const lengthOf = ({ messages }: ChatRequest): number =>
  messages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

/** A model whose tokens are bytes, that refuses prompts longer than its context. */
function byteModel(contextBytes: number): { readonly chat: ChatWriter; readonly asked: number[] } {
  const asked: number[] = [];
  const chat: ChatWriter = async function* (request) {
    asked.push(lengthOf(request));
    await Promise.resolve();
    if (lengthOf(request) > contextBytes) throw new ObeliskError('context_length_exceeded', 'too long');
    yield { type: 'text-delta', text: 'Walruses have tusks [1].' };
    yield { type: 'finish', reason: 'stop', usage: { promptTokens: 1, completionTokens: 1 } };
  };
  return { chat, asked };
}

suite('a prompt that is too long for a model', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'obelisk-context-'));
  let library: VaultLibrary;

  before(async () => {
    const vault = path.join(folder, 'vault');
    mkdirSync(vault);
    for (let note = 0; note < 8; note += 1) {
      const paragraphs = Array.from(
        { length: 6 },
        (_, at) => `Walrus tusks, part ${note}-${at}: ${`the tusks of a walrus grow ${at} `.repeat(12)}.`,
      );
      writeFileSync(path.join(vault, `Walrus ${note}.md`), `${paragraphs.join('\n\n')}\n`);
    }
    library = createVaultLibrary({
      vaults: [{ name: 'v', path: vault }],
      dataDir: path.join(folder, 'data'),
      watch: false,
      logger: silentLogger,
    });
    await library.ready();
  });
  after(async () => {
    await library.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask(chat: ChatWriter, model = 'vault/v'): Promise<ChatEvent[]> {
    const writer = createVaultWriter({
      library,
      chat,
      chooseModel: (asked) => ({ model: asked ?? 'tiny', contextTokens: 8192 }),
      logger: silentLogger,
    });
    const request: ChatRequest = {
      model,
      messages: [{ role: 'user', text: 'What do walrus tusks do?' }],
      stream: true,
      includeUsage: false,
      options: {},
    };
    const events: ChatEvent[] = [];
    for await (const event of writer(request, { signal: AbortSignal.timeout(20_000) })) events.push(event);
    return events;
  }
  const writerOf = (events: readonly ChatEvent[]): unknown => {
    const fields = events.find((event) => event.type === 'message-fields');
    const facts = fields?.type === 'message-fields' ? fields.fields['obelisk'] : undefined;
    return typeof facts === 'object' && facts !== null && 'writer' in facts ? facts.writer : undefined;
  };

  test('is asked again with less until it fits', async () => {
    const { chat, asked } = byteModel(8000);
    const events = await ask(chat);
    assert.equal(writerOf(events), 'tiny');
    assert.ok(asked.length > 1 && asked.length <= 4, String(asked));
    assert.deepEqual(
      asked,
      asked.toSorted((a, b) => b - a),
    );
    assert.ok((asked.at(-1) ?? Infinity) <= 8000);
  });

  test('holds at least one source at its shortest, cited with the lines that it was cut to', async () => {
    const { chat, asked } = byteModel(2600);
    const events = await ask(chat);
    assert.equal(writerOf(events), 'tiny', String(asked));
    const fields = events.find((event) => event.type === 'message-fields');
    const sources = fields?.type === 'message-fields' ? fields.fields['sources'] : [];
    assert.ok(Array.isArray(sources) && sources.length === 1);
    assert.match(JSON.stringify(sources), /"startLine":1,"endLine":1,/);
  });

  test('is given up when the shortest does not fit: quotes for the default model, an error for a named one', async () => {
    const { chat, asked } = byteModel(100);
    assert.equal(writerOf(await ask(chat)), 'extractive');
    assert.ok(asked.length <= 4);
    await assert.rejects(ask(chat, 'vault/v:tiny'), { code: 'context_length_exceeded' });
  });

  test('is not asked again after other errors, nor once an answer has begun', async () => {
    let calls = 0;
    const failing = (code: 'rate_limited' | 'context_length_exceeded', begun: boolean): ChatWriter =>
      async function* () {
        calls += 1;
        await Promise.resolve();
        if (begun) yield { type: 'text-delta', text: 'W' };
        throw new ObeliskError(code, 'no');
      };
    await assert.rejects(ask(failing('rate_limited', false)), { code: 'rate_limited' });
    await assert.rejects(ask(failing('context_length_exceeded', true)), { code: 'context_length_exceeded' });
    assert.equal(calls, 2);
  });
});
