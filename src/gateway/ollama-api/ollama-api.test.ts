import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ollama } from 'ollama';
import { startDoorOllama } from '../../../test/door-ollama.ts';
import type { DoorOllama } from '../../../test/door-ollama.ts';
import { askSocket, startGateway } from '../../../test/gateway.ts';

const client = ({ gateway }: DoorOllama): Ollama => new Ollama({ host: gateway.origin });
const post = (door: DoorOllama, path: string, body: unknown): ReturnType<typeof askSocket> =>
  askSocket(door.gateway, { path, body });

test('every model is listed as Ollama lists its own, those from elsewhere among them', async () => {
  await using door = await startDoorOllama();
  const { models } = await client(door).list();
  assert.deepEqual(
    models.map(({ name, model, size, details }) => [name, model, size, details.family]),
    [
      ['able:latest', 'able:latest', 1_000_000, 'llama'],
      ['alias', 'alias', 1_000_000, 'llama'],
      ['embed:latest', 'embed:latest', 1_000_000, 'llama'],
      ['mock', 'mock', 0, 'openai'],
    ],
  );
  for (const { digest, modified_at: modified } of models) {
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.ok(!Number.isNaN(Date.parse(String(modified))));
  }
});

test('models are listed while their host does not answer', async () => {
  await using door = await startDoorOllama();
  await door.ollama.kill();
  const { models } = await client(door).list();
  assert.deepEqual(
    models.map(({ name, size }) => [name, size]),
    [
      ['able:latest', 0],
      ['alias', 0],
      ['embed:latest', 0],
      ['mock', 0],
    ],
  );
});

test('what a model is and can is shown, for models from elsewhere too', async () => {
  await using door = await startDoorOllama();
  const own = await client(door).show({ model: 'alias' });
  assert.deepEqual(own.capabilities, ['completion', 'tools', 'insert', 'thinking']);
  assert.ok(own.template !== undefined && own.modelfile !== undefined);
  const elsewhere = JSON.parse((await post(door, '/api/show', { model: '', name: 'mock:latest' })).text);
  assert.equal(elsewhere.model_info['general.architecture'], 'openai');
  assert.equal(elsewhere.model_info['openai.context_length'], 8_192);
  assert.deepEqual(elsewhere.capabilities, ['completion']);
});

test('whoever names a model that there is not is told where this API lists those there are', async () => {
  await using gateway = await startGateway([]);
  const ollama = new Ollama({ host: gateway.origin });
  const message = 'model not found: there is no model nope; GET /api/tags lists those there are';
  const model = 'nope';
  for (const asked of [
    () => ollama.show({ model }),
    () => ollama.chat({ model, messages: [{ role: 'user', content: 'Ahoy' }] }),
    () => ollama.embed({ model, input: 'Ahoy' }),
  ]) {
    await assert.rejects(asked, { status_code: 404, message });
  }
});

test('models that ask nothing are loaded and unloaded, and what is loaded is listed', async () => {
  await using door = await startDoorOllama();
  const ollama = client(door);
  assert.deepEqual((await ollama.ps()).models, []);
  const loaded = await ollama.generate({ model: 'able:latest', prompt: '', keep_alive: '10m' });
  assert.deepEqual([loaded.done, loaded.done_reason, loaded.response], [true, 'load', '']);
  assert.deepEqual(
    (await ollama.ps()).models.map(({ name }) => name),
    ['able:latest'],
  );
  // The first question finds it as it wants it.
  await ollama.chat({ model: 'able:latest', messages: [{ role: 'user', content: 'Hi' }] });
  assert.equal(door.ollama.loads.length, 1);
  await ollama.embed({ model: 'embed:latest', input: '' });
  assert.deepEqual(door.ollama.loaded().toSorted(), ['able:latest', 'embed:latest']);
  const gone = await post(door, '/api/generate', { model: 'embed:latest', keep_alive: 0 });
  assert.equal(JSON.parse(gone.text).done_reason, 'unload');
  const left = await post(door, '/api/chat', { model: 'able:latest', messages: [], keep_alive: '0s' });
  const { message, done_reason: reason } = JSON.parse(left.text);
  assert.deepEqual([message, reason], [{ role: 'assistant', content: '' }, 'unload']);
  assert.deepEqual(door.ollama.loaded(), []);
  const mock = JSON.parse((await post(door, '/api/chat', { model: 'mock' })).text);
  assert.equal(mock.done_reason, 'load');
});

test('a text is gone on from by Ollama itself, with what only Ollama has words for', async () => {
  await using door = await startDoorOllama();
  const words = { suffix: '}', template: '{{ .Prompt }}', raw: true, context: [1, 2] };
  let text = '';
  for await (const part of await client(door).generate({
    model: 'able:latest',
    prompt: 'def f(',
    ...words,
    system: 'Be short.',
    options: { temperature: 0 },
    stream: true,
  })) {
    text += part.response;
    if (part.done) assert.ok(Array.isArray(part.context) && part.eval_count > 0);
  }
  assert.notEqual(text, '');
  const [sent] = door.ollama.sent('/api/generate');
  assert.deepEqual(
    [
      sent?.['prompt'],
      sent?.['suffix'],
      sent?.['template'],
      sent?.['raw'],
      sent?.['context'],
      sent?.['system'],
    ],
    ['def f(', words.suffix, words.template, true, words.context, 'Be short.'],
  );
  assert.equal(sent?.['truncate'], false);
});

test('a model from elsewhere goes on from a text as from a turn, and refuses what it cannot', async () => {
  await using door = await startDoorOllama();
  const whole = await client(door).generate({ model: 'mock', prompt: 'Hi', system: 'Be short.' });
  assert.equal(whole.response, 'Hello.');
  assert.deepEqual(whole.context, []);
  for (const extra of [{ raw: true }, { suffix: 'x' }, { template: 'x' }, { context: [1] }]) {
    const asked = client(door).generate({ model: 'mock', prompt: 'Hi', ...extra });
    await assert.rejects(asked, { status_code: 400, message: /does not support/ });
  }
});

test('texts are embedded, many at once and one the old way', async () => {
  await using door = await startDoorOllama();
  const many = await client(door).embed({ model: 'embed:latest', input: ['one', 'two'], truncate: true });
  assert.equal(many.embeddings.length, 2);
  assert.ok(many.total_duration > 0 && many.prompt_eval_count > 0);
  assert.equal(typeof many.load_duration, 'number');
  assert.equal(door.ollama.sent('/api/embed')[0]?.['truncate'], true);
  const { embedding } = await client(door).embeddings({ model: 'embed:latest', prompt: 'one' });
  assert.deepEqual(embedding, many.embeddings[0]);
  assert.equal(door.ollama.sent('/api/embed')[1]?.['truncate'], false);
  await assert.rejects(client(door).embed({ model: 'able:latest', input: 'x' }), { status_code: 400 });
});

test('the API says of which Ollama it is, to whoever only looks too', async () => {
  await using door = await startDoorOllama();
  assert.match((await client(door).version()).version, /^\d+\.\d+\.\d+$/);
  const head = await askSocket(door.gateway, { method: 'HEAD', path: '/api/version' });
  assert.deepEqual([head.status, head.text], [200, '']);
});

test('a body is read whatever its type says, but for pages of the web', async () => {
  await using door = await startDoorOllama();
  const body = JSON.stringify({ model: 'mock', prompt: 'Hi', stream: false });
  const ask = (headers: Record<string, string>): ReturnType<typeof askSocket> =>
    askSocket(door.gateway, { path: '/api/generate', body, headers });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal((await ask(form)).status, 200);
  for (const page of [{ 'sec-fetch-site': 'cross-site' }, { referer: 'http://elsewhere.example/' }]) {
    const { status, text } = await ask({ ...form, ...page });
    assert.equal(status, 415);
    assert.equal(typeof JSON.parse(text).error, 'string');
  }
});
