import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';

import { createOllamaClient } from '../../src/ollama/api/client.ts';
import type { CreateSource } from '../../src/ollama/control-plane.ts';
import { prepareCreate } from '../../src/ollama/create/prepare-create.ts';
import { createUpstreamClient } from '../../src/wire/upstream-client.ts';
import { eventually } from '../eventually.ts';
import { findRealOllama, writeTinyGguf } from '../ollama-models.ts';
import { writeTinyAdapter } from '../tiny-adapter.ts';

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: models made in a real Ollama: ${skip}`);

/** The folder of all-MiniLM-L6-v2 as sentence-transformers saves it, 90 MB. */
const MINILM = process.env['OBELISK_MINILM'] ?? '';
const skipMinilm = existsSync(path.join(MINILM, 'modules.json'))
  ? false
  : 'OBELISK_MINILM names no folder of all-MiniLM-L6-v2';
if (skip === false && skipMinilm !== false) console.log(`SKIPPED: a model of safetensors: ${skipMinilm}`);

suite('models made in a real Ollama', { skip }, () => {
  const upstream = createUpstreamClient();
  const client = createOllamaClient({ url: 'url' in real ? real.url : '', upstream });
  const chat = 'url' in real ? real.chat : '';
  const embed = 'url' in real ? real.embed : '';
  const signal = AbortSignal.timeout(170_000);
  const made = new Set<string>();
  let folder = '';

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'obelisk-make-'));
    await writeTinyGguf(path.join(folder, 'tiny.gguf'), 'llama');
  });

  after(async () => {
    for (const model of made) await client.remove(model);
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
    if ('url' in real) await real[Symbol.asyncDispose]();
  });

  /** Makes a model and says which steps that took. */
  async function make(name: string, source: CreateSource): Promise<{ model: string; steps: string[] }> {
    const model = `obelisk-test-${name}-${process.pid}:latest`;
    const { blobs, body } = await prepareCreate({ model, source }, signal);
    for (const blob of blobs)
      if (!(await client.hasBlob(blob.digest, signal))) await client.uploadBlob(blob, signal);
    const steps: string[] = [];
    made.add(model);
    try {
      for await (const { status } of client.create(body, signal)) steps.push(status);
    } catch (error) {
      made.delete(model);
      throw error;
    }
    return { model, steps };
  }

  async function say(model: string, prompt = 'hi'): Promise<string> {
    let said = '';
    const options = { temperature: 0, seed: 1, num_predict: 12 };
    for await (const line of client.generate({ model, prompt, options }, signal)) said += line.response ?? '';
    return said;
  }

  async function vectors(model: string, input: readonly string[]): Promise<readonly (readonly number[])[]> {
    return (await client.embed({ model, input, truncate: false, options: {} }, signal)).embeddings;
  }

  const dot = (a: readonly number[] = [], b: readonly number[] = []): number =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

  test('a Modelfile with a GGUF file makes a model that shows all it was told, and answers', async () => {
    const modelfile = [
      'FROM ./tiny.gguf',
      'TEMPLATE """{{ .System }}|{{ .Prompt }}|"""',
      'SYSTEM """You are',
      'terse."""',
      'PARAMETER num_ctx 256',
      'PARAMETER stop <|a|>',
      'PARAMETER stop "<|b|>"',
      'PARAMETER temperature 0.25',
      'PARAMETER low_vram true',
      'MESSAGE user What is 2+2?',
      'MESSAGE assistant 4',
      'LICENSE MIT',
      'LICENSE """Apache',
      '2.0"""',
    ].join('\n');
    const { model, steps } = await make('modelfile', { modelfile, directory: folder });
    assert.equal(steps.at(-1), 'success');
    const shown = await client.show(model, signal);
    assert.equal(shown.template, '{{ .System }}|{{ .Prompt }}|');
    assert.equal(shown.system, 'You are\nterse.');
    assert.equal(shown.license, 'MIT\nApache\n2.0');
    assert.deepEqual(shown.messages, [
      { role: 'user', content: 'What is 2+2?' },
      { role: 'assistant', content: '4' },
    ]);
    const parameters = (shown.parameters ?? '').split('\n').map((line) => line.split(/\s+/).join(' '));
    assert.deepEqual(parameters.sort(), ['num_ctx 256', 'stop "<|a|>"', 'stop "<|b|>"', 'temperature 0.25']);
    await say(model);
    const loaded = (await client.ps(signal)).find((one) => one.name === model);
    assert.equal(loaded?.context_length, 256);
  });

  test('what Ollama shows of a model as its Modelfile makes the same model', async () => {
    const { modelfile } = await client.show(chat, signal);
    const text = (modelfile ?? '').replace(/^FROM .*$/m, `FROM ${chat}`);
    const { model } = await make('again', { modelfile: text });
    const [before, again] = [await client.show(chat, signal), await client.show(model, signal)];
    assert.equal(again.template, before.template);
    assert.equal(again.parameters, before.parameters);
    assert.equal(await say(model), await say(chat));
  });

  test('an adapter from a folder as PEFT writes it changes what the model says by its strength', async () => {
    const plain = await say(chat);
    for (const [strength, name] of [
      [0, 'nothing'],
      [0.3, 'something'],
    ] as const) {
      const adapter = path.join(folder, `adapter-${name}`);
      await writeTinyAdapter(adapter, strength);
      const { model, steps } = await make(`adapter-${name}`, { from: chat, adapters: [adapter] });
      assert.ok(steps.includes('converting adapter'));
      if (strength === 0) assert.equal(await say(model), plain);
      else assert.notEqual(await say(model), plain);
    }
  });

  test(
    'a folder of safetensors becomes an embedding model, and a quantized one',
    { skip: skipMinilm },
    async () => {
      const texts = [
        'The ferry leaves the harbour at noon.',
        'At twelve the boat departs from the port.',
        'Bread rises when yeast makes gas.',
      ];
      const { model } = await make('minilm', { from: MINILM });
      const shown = await client.show(model, signal);
      assert.deepEqual(shown.capabilities, ['embedding']);
      assert.equal(shown.model_info?.['bert.pooling_type'], 1, 'the pooling of 1_Pooling/config.json');
      const [ferry, boat, bread] = await vectors(model, texts);
      assert.equal(ferry?.length, 384);
      assert.ok(
        dot(ferry, boat) > 0.5 && dot(ferry, bread) < 0.2,
        `${dot(ferry, boat)}, ${dot(ferry, bread)}`,
      );

      const small = await make('minilm-q8', { from: MINILM, quantize: 'q8_0' });
      assert.ok(small.steps.includes('quantizing F16 model to Q8_0'));
      const tags = await client.tags(signal);
      const sizeOf = (name: string): number => tags.find((tag) => tag.name === name)?.size ?? 0;
      assert.ok(sizeOf(small.model) < sizeOf(model) * 0.6);
      const [quantized] = await vectors(small.model, texts);
      assert.ok(dot(ferry, quantized) > 0.99);
    },
  );

  test('what Ollama refuses to make is refused with its words and as the caller’s mistake', async () => {
    await assert.rejects(make('quantized', { from: chat, quantize: 'q8_0' }), {
      code: 'invalid_request',
      message: /only supported for F16, BF16 and F32/,
    });
    await assert.rejects(make('template', { from: chat, template: '{{ if' }), {
      code: 'invalid_request',
      message: /template/,
    });
    await writeFile(path.join(folder, 'wrong.gguf'), 'GGUF, but not really');
    await assert.rejects(make('wrong', { from: path.join(folder, 'wrong.gguf') }));
    const tags = await client.tags(signal);
    assert.ok(!tags.some(({ name }) => /test-(?:quantized|template|wrong)-/.test(name)));
  });

  test('an upload tells how far it is, is kept, and is refused where its digest is not its own', async () => {
    const file = path.join(folder, 'other.gguf');
    await writeTinyGguf(file, 'bert');
    await writeFile(file, String(process.pid), { flag: 'a' });
    const [blob] = (await prepareCreate({ model: 'x', source: { from: file } })).blobs;
    assert.ok(blob);
    const sent: number[] = [];
    assert.equal(await client.hasBlob(blob.digest, signal), false);
    await client.uploadBlob(blob, signal, (bytes) => sent.push(bytes));
    assert.equal(await client.hasBlob(blob.digest, signal), true);
    assert.equal(sent.at(-1), blob.bytes);
    const digest = `sha256:${'0'.repeat(64)}`;
    await assert.rejects(client.uploadBlob({ ...blob, digest }, signal), { message: /digest mismatch/ });
    assert.equal(await client.hasBlob(digest, signal), false);
  });

  test('models are loaded without a word and unloaded, those that only embed as well', async () => {
    for (const model of [chat, embed]) {
      await client.unload(model, signal);
      await client.load({ model, keep_alive: '5m' }, signal);
      assert.ok((await client.ps(signal)).some(({ name }) => name === model));
      await client.unload(model, signal);
      // Ollama says so before the runner has ended.
      await eventually(async () => assert.ok(!(await client.ps(signal)).some(({ name }) => name === model)));
    }
  });

  test('looking is cheap and whole: version, status, tags, and a model with all its words', async () => {
    assert.match(await client.version(signal), /^\d+\.\d+\.\d+/);
    assert.equal(typeof (await client.status(signal)).cloud?.disabled, 'boolean');
    const brief = await client.show(chat, signal);
    const verbose = await client.show({ model: chat, verbose: true }, signal);
    assert.equal(brief.model_info?.['tokenizer.ggml.tokens'], null);
    const tokens = verbose.model_info?.['tokenizer.ggml.tokens'];
    assert.ok(Array.isArray(tokens) && tokens.length > 200);
    assert.ok((brief.tensors?.length ?? 0) > 10);
  });

  test('a copy is a model of its own, and what is not there is said so', async () => {
    const copy = `obelisk-test-second-${process.pid}`;
    await client.copy(chat, copy, signal);
    assert.equal(await say(copy), await say(chat));
    await client.remove(copy, signal);
    await assert.rejects(client.show(copy, signal), { code: 'model_not_found' });
    await assert.rejects(client.remove(copy, signal), { code: 'model_not_found' });
    await assert.rejects(client.copy(copy, 'x', signal), { code: 'model_not_found' });
  });

  test('whoever leaves while a model loads is let go at once, and the server goes on', async () => {
    await client.unload(chat, signal);
    const controller = new AbortController();
    const begun = performance.now();
    const loading = client.load({ model: chat, options: { num_ctx: 1_024 } }, controller.signal);
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(loading, { code: 'client_gone' });
    assert.ok(performance.now() - begun < 5_000);
    assert.notEqual(await say(chat), '');
  });
});
