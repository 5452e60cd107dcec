/** Ollama's own API of the running program, asked by the clients that speak it, in front of a real Ollama. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';

import { HumanMessage } from '@langchain/core/messages';
import { ChatOllama, OllamaEmbeddings } from '@langchain/ollama';
import { embed, generateText, jsonSchema, Output, streamText } from 'ai';
import { Ollama } from 'ollama';
import { createOllama } from 'ollama-ai-provider-v2';

import { eventually } from '../eventually.ts';
import { findRealOllama } from '../ollama-models.ts';
import { startProgram } from '../program.ts';
import type { Program } from '../program.ts';

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: Ollama's API in front of a real Ollama: ${skip}`);
const CHAT = 'chat' in real ? real.chat : '';
const EMBED = 'embed' in real ? real.embed : '';
const messages = [{ role: 'user', content: 'hi' }];
const options = { temperature: 0, seed: 1, num_predict: 8 };
const SCHEMA = {
  type: 'object',
  properties: { ready: { type: 'boolean' } },
  required: ['ready'],
  additionalProperties: false,
} as const;

suite('Ollama’s API in front of a real Ollama', { skip }, () => {
  let program: Program;

  before(async () => {
    const url = 'url' in real ? real.url : '';
    program = await startProgram({ args: ['serve', '--port', '0'], env: { OLLAMA_HOST: url } });
  });

  after(async () => {
    await program.stop();
    if ('url' in real) await real[Symbol.asyncDispose]();
  });

  const own = (): Ollama => new Ollama({ host: program.url });
  const direct = (): Ollama => new Ollama({ host: 'url' in real ? real.url : '' });

  test('the ollama client gets from Obelisk what it gets from Ollama', async () => {
    const prompt = { model: CHAT, prompt: 'hi', options };
    const askAll = async (client: Ollama) => ({
      chat: await client.chat({ model: CHAT, messages, options }),
      text: await client.generate({ ...prompt }),
      raw: await client.generate({ ...prompt, raw: true }),
    });
    // One after the other: their runner options differ, so that each change of sides loads the model anew.
    const [ours, theirs] = [await askAll(own()), await askAll(direct())];
    assert.deepEqual(ours.chat.message, theirs.chat.message);
    for (const kind of ['chat', 'text', 'raw'] as const) {
      const [one, other] = [ours[kind], theirs[kind]];
      assert.deepEqual(
        [one.done_reason, one.prompt_eval_count, one.eval_count],
        [other.done_reason, other.prompt_eval_count, other.eval_count],
      );
      assert.deepEqual(
        Object.keys(one).toSorted(),
        // Clients look for it, and of a raw prompt Ollama gives none.
        [...new Set([...Object.keys(other), ...('context' in one ? ['context'] : [])])].toSorted(),
        kind,
      );
    }
    for (const kind of ['text', 'raw'] as const) {
      assert.equal(ours[kind].response, theirs[kind].response);
      assert.deepEqual(ours[kind].context, theirs[kind].context ?? []);
    }
  });

  test('a stream says what the answer in one piece says', async () => {
    const whole = await own().chat({ model: CHAT, messages, options });
    let text = '';
    for await (const part of await own().chat({ model: CHAT, messages, options, stream: true })) {
      text += part.message.content;
    }
    assert.equal(text, whole.message.content);
  });

  test('models are listed, shown, loaded, embedded and unloaded as by Ollama', async () => {
    const [ours, theirs] = [await own().list(), await direct().list()];
    for (const model of theirs.models) {
      const same = ours.models.find(({ name }) => name === model.name);
      const { digest, size, details } = model;
      assert.deepEqual(same && [same.digest, same.size, same.details], [digest, size, details]);
    }
    const [shown, original] = [await own().show({ model: CHAT }), await direct().show({ model: CHAT })];
    assert.deepEqual(shown.model_info, original.model_info);
    assert.deepEqual(shown.details, original.details);
    assert.equal((await own().generate({ model: CHAT, prompt: '' })).done_reason, 'load');
    assert.ok((await own().ps()).models.some(({ name }) => name === CHAT));
    const texts = { model: EMBED, input: ['one two', 'three'] };
    const [vectors, expected] = [await own().embed({ ...texts }), await direct().embed({ ...texts })];
    assert.equal(vectors.embeddings.length, 2);
    for (const [row, vector] of vectors.embeddings.entries()) {
      for (const [column, value] of vector.entries()) {
        assert.ok(Math.abs(value - (expected.embeddings[row]?.[column] ?? Number.NaN)) < 1e-6);
      }
    }
    assert.equal((await own().generate({ model: CHAT, prompt: '', keep_alive: 0 })).done_reason, 'unload');
    // The runner takes a moment to end.
    await eventually(async () => {
      assert.ok(!(await own().ps()).models.some(({ name }) => name === CHAT));
    }, 10_000);
  });

  test('errors have the status and the words of Ollama’s', async () => {
    const failures: readonly ((client: Ollama) => Promise<unknown>)[] = [
      (client) => client.chat({ model: 'nope', messages }),
      (client) => client.show({ model: 'nope' }),
      (client) => client.chat({ model: EMBED, messages }),
      (client) =>
        client.chat({ model: CHAT, messages, tools: [{ type: 'function', function: { name: 'f' } }] }),
      (client) => client.chat({ model: CHAT, messages, think: true }),
      (client) => client.generate({ model: CHAT, prompt: 'a', suffix: 'b' }),
    ];
    for (const fail of failures) {
      const [ours, theirs] = await Promise.all([statusOf(fail(own())), statusOf(fail(direct()))]);
      assert.equal(ours, theirs, String(fail));
    }
  });

  test('an aborted stream ends the work at Ollama', async () => {
    const long = { temperature: 1, num_predict: 100_000 };
    const stream = await own().chat({ model: CHAT, messages, stream: true, options: long });
    await assert.rejects(async () => {
      for await (const _part of stream) stream.abort();
    }, /abort/i);
    // Ollama serves one request of a model at a time: the next one has its turn at once.
    const answer = await own().chat({ model: CHAT, messages, options });
    assert.equal(answer.done, true);
  });

  test('LangChain’s ChatOllama chats, streams, gets structured output and embeds', async () => {
    const model = new ChatOllama({
      model: CHAT,
      baseUrl: program.url,
      temperature: 0,
      seed: 1,
      numPredict: 8,
    });
    const whole = await model.invoke([new HumanMessage('hi')]);
    let text = '';
    for await (const part of await model.stream([new HumanMessage('hi')])) text += part.text;
    assert.equal(text, whole.text);
    const structured = new ChatOllama({ model: CHAT, baseUrl: program.url, temperature: 0 });
    const answer = await structured.withStructuredOutput({ ...SCHEMA }).invoke('Ready?');
    assert.equal(typeof answer['ready'], 'boolean');
    const embeddings = new OllamaEmbeddings({ model: EMBED, baseUrl: program.url });
    assert.equal((await embeddings.embedQuery('one')).length, 32);
  });

  test('the AI SDK asks, streams, gets structured output and embeds', async () => {
    const ollama = createOllama({ baseURL: `${program.url}/api` });
    const providerOptions = { ollama: { options } };
    const asked = { model: ollama(CHAT), prompt: 'hi', providerOptions, maxRetries: 0 };
    const whole = await generateText(asked);
    assert.equal(await streamText(asked).text, whole.text);
    const { output } = await generateText({
      model: ollama(CHAT),
      prompt: 'Ready?',
      output: Output.object({ schema: jsonSchema<{ ready: boolean }>({ ...SCHEMA, required: ['ready'] }) }),
      maxRetries: 0,
    });
    assert.equal(typeof output.ready, 'boolean');
    const { embedding } = await embed({ model: ollama.embeddingModel(EMBED), value: 'one', maxRetries: 0 });
    assert.equal(embedding.length, 32);
  });
});

async function statusOf(promise: Promise<unknown>): Promise<number> {
  const error: unknown = await promise.then(
    () => assert.fail('it was answered'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error && 'status_code' in error, String(error));
  return Number(error.status_code);
}
