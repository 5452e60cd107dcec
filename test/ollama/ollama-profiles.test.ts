import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';

import type { Obelisk } from '../../src/obelisk.ts';
import { createObelisk } from '../../src/obelisk.ts';
import type { OllamaRunning } from '../../src/ollama/api/api-types.ts';
import { createOllamaClient } from '../../src/ollama/api/client.ts';
import { bakeSpec } from '../../src/ollama/profiles/bake.ts';
import { createUpstreamClient } from '../../src/wire/upstream-client.ts';
import { findRealOllama } from '../ollama-models.ts';

const real = await findRealOllama();
const skip = 'skip' in real ? real.skip : false;
if (skip !== false) console.log(`SKIPPED: profiles against a real Ollama: ${skip}`);
const url = 'url' in real ? real.url : '';
const CHAT = 'url' in real ? real.chat : '';
const EMBED = 'url' in real ? real.embed : '';

/** What two programs that know nothing of each other ask one model with. */
const ONE = { temperature: 0, seed: 1, num_ctx: 512, num_thread: 1 };
const TWO = { temperature: 2, seed: 7, num_ctx: 1024, num_batch: 256 };
const ROUNDS = 4;
const PROMPT = 'Say something';

type Options = Readonly<Record<string, number>>;

type Ask = (options: Options) => Promise<Answered>;

type Answered = {
  readonly text: string;
  readonly loadMs: number;
  readonly reload: string | null;
  readonly ignored: string | null;
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

suite('profiles against a real Ollama', { skip }, () => {
  const upstream = createUpstreamClient();
  const client = createOllamaClient({ url, upstream });
  const signal = AbortSignal.timeout(170_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-profiles-'));
  const closers: (() => Promise<void>)[] = [];
  /** Milliseconds from which a load was one: half of what loads took when they were forced. */
  let loadFromMs = 0;

  before(unload);

  after(async () => {
    for (const close of closers) await close();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
    if ('url' in real) await real[Symbol.asyncDispose]();
  });

  async function unload(): Promise<void> {
    for (const model of [CHAT, EMBED]) {
      for await (const line of client.generate({ model, keep_alive: 0 }, signal)) assert.ok(line);
    }
  }

  /** Opens the whole product before the real server, and gives what asks it. */
  async function open(name: string, more = ''): Promise<{ obelisk: Obelisk; ask: Ask; origin: string }> {
    const config = path.join(folder, `${name}.yaml`);
    writeFileSync(config, `vaults: []\nserver: {port: 0}\nproviders:\n  ollama:\n    url: ${url}\n${more}`);
    const obelisk = await createObelisk({ config, dataDir: path.join(folder, name), environment: {} });
    await obelisk.models();
    const listening = await obelisk.listen();
    closers.push(async () => {
      await listening.close();
      await obelisk.close();
    });
    return { obelisk, origin: listening.url, ask: (options) => askGateway(listening.url, options) };
  }

  /** Asks Ollama itself, as programs do without a gateway. */
  async function askOllama(options: Options): Promise<Answered> {
    const messages = [{ role: 'user', content: PROMPT }] as const;
    const body = { model: CHAT, messages, stream: true, truncate: false, shift: false } as const;
    const answered = { text: '', loadMs: 0, reload: null, ignored: null };
    for await (const line of client.chat({ ...body, options: { ...options, num_predict: 8 } }, signal)) {
      answered.text += String(Object(Object(line).message).content ?? '');
      answered.loadMs = Number(Object(line).load_duration ?? 0) / 1e6;
    }
    return answered;
  }

  async function runningAt(model: string): Promise<OllamaRunning | undefined> {
    return (await client.ps(signal)).find(({ name }) => name === model);
  }

  async function windowOf(model: string): Promise<number | undefined> {
    return (await runningAt(model))?.context_length;
  }

  test('without a profile, two programs that alternate load the model anew each time', async () => {
    const loads: number[] = [];
    await askOllama(ONE);
    const warm = [(await askOllama(ONE)).loadMs, (await askOllama(ONE)).loadMs];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const options of [TWO, ONE]) loads.push((await askOllama(options)).loadMs);
    }
    loadFromMs = median(loads) / 2;
    assert.ok(Math.min(...loads) > 3 * Math.min(...warm), `warm ${warm.join()} ms, then ${loads.join()} ms`);
    console.log(
      `without profiles: ${loads.length} of ${loads.length} loads, ${median(loads).toFixed(0)} ms each`,
    );
  });

  test('through a profile they reload nothing, while temperature and seed still change the answer', async () => {
    const { ask, obelisk } = await open('canonical');
    const first = await ask(ONE);
    const answers = { one: [first.text], two: new Array<string>() };
    const loads: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [options, texts] of [
        [TWO, answers.two],
        [ONE, answers.one],
      ] as const) {
        const { text, loadMs, reload, ignored } = await ask(options);
        texts.push(text);
        loads.push(loadMs);
        assert.deepEqual([reload, ignored], [null, options === ONE ? 'num_thread' : 'num_batch']);
      }
    }
    const reloads = loads.filter((ms) => ms > loadFromMs);
    assert.deepEqual(reloads, [], `a load takes from ${loadFromMs} ms: ${loads.join()}`);
    assert.equal(new Set(answers.one).size, 1);
    assert.ok(!answers.two.includes(first.text));
    assert.equal(await windowOf(CHAT), 2048);
    const [host] = (await obelisk.control()).hosts();
    assert.equal(host?.loaded.find(({ model }) => model === CHAT)?.contextLength, 2048);
    console.log(
      `with profiles: ${reloads.length} of ${loads.length} loads, ${median(loads).toFixed(1)} ms each`,
    );
  });

  test('an option that requests may set loads the model anew, and the header says for which', async () => {
    const { ask } = await open('allowed', '    request_options: [num_ctx]\n');
    await ask({});
    const warm = await ask({});
    const other = await ask({ num_ctx: 512 });
    assert.equal(other.reload, 'num_ctx');
    assert.ok(other.loadMs > 3 * warm.loadMs, `${warm.loadMs} ms, then ${other.loadMs} ms`);
    assert.equal((await ask({ num_ctx: 512 })).reload, null);
    assert.equal(await windowOf(CHAT), 512);
  });

  test('texts are embedded without a reload, whatever options come with them', async () => {
    const { origin } = await open('embedding');
    const embed = async (options: Options): Promise<void> => {
      const response = await fetch(`${origin}/v1/embeddings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: EMBED, input: 'a note', options }),
      });
      assert.equal(response.status, 200, await response.text());
      assert.equal(response.headers.get('x-obelisk-reload'), null);
      assert.equal(await windowOf(EMBED), 512);
    };
    for (const options of [ONE, { num_ctx: 128 }, { num_thread: 2 }]) await embed(options);
  });

  test('a profile that is changed at run time loads the model once more, and then no more', async () => {
    const { ask, obelisk } = await open('changed');
    await ask({});
    const view = obelisk.configureHardware({ num_ctx: 1024, keep_alive: '10m' }, { model: CHAT });
    assert.deepEqual(view.options['num_ctx'], { value: 1024, source: 'run time' });
    assert.equal((await ask(ONE)).reload, 'num_ctx');
    assert.equal((await ask(TWO)).reload, null);
    assert.equal(await windowOf(CHAT), 1024);
    const running = await runningAt(CHAT);
    const minutes = (Date.parse(running?.expires_at ?? '') - Date.now()) / 60_000;
    assert.ok(minutes > 8 && minutes < 11, `it stays for ${minutes} minutes`);
  });

  test('the estimate is what the server then takes', async () => {
    const { ask, obelisk } = await open('fit');
    const control = await obelisk.control();
    const [fit] = await control.fit(CHAT);
    assert.equal(fit?.verdict, 'fits');
    await ask({});
    const running = await runningAt(CHAT);
    const ratio = (fit.totalBytes ?? 0) / (running?.size ?? 1);
    assert.ok(ratio > 0.9 && ratio < 1.5, `estimated ${fit.totalBytes}, taken ${running?.size}`);
    const [four] = await control.fit(CHAT, { parallel: 4 });
    assert.equal(four?.cacheBytes, 4 * (fit.cacheBytes ?? 0));
  });

  test('a profile is baked into a model that has it without us', async () => {
    const { obelisk } = await open('baked');
    const control = await obelisk.control();
    obelisk.configureHardware({ num_ctx: 768, num_thread: 1 }, { model: CHAT });
    const baked = `obelisk-test-baked-${process.pid}:latest`;
    const job = control.startJob(bakeSpec(control.profile(CHAT), baked));
    for await (const { state, error } of control.watchJob(job.id, signal)) {
      assert.notEqual(state, 'failed', error?.message);
    }
    closers.unshift(() => client.remove(baked));
    for await (const line of client.generate(
      { model: baked, prompt: 'hi', options: { num_predict: 1 } },
      signal,
    )) {
      assert.ok(line);
    }
    assert.equal(await windowOf(baked), 768);
    const view = control.profile(baked);
    assert.deepEqual(view.options['num_thread'], { value: 1, source: 'model' });
  });
});

async function askGateway(origin: string, options: Options): Promise<Answered> {
  const messages = [{ role: 'user', content: PROMPT }];
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: CHAT, messages, max_tokens: 8, options }),
  });
  const body: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  const timing = response.headers.get('x-obelisk-timing') ?? '';
  return {
    text: String(Object(Object(Object(body).choices[0]).message).content),
    loadMs: Number(/load;dur=([\d.]+)/.exec(timing)?.[1]),
    reload: response.headers.get('x-obelisk-reload'),
    ignored: response.headers.get('x-obelisk-options-ignored'),
  };
}
