import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Secret } from '../../shared/secret.ts';
import { createUpstreamClient } from '../../wire/upstream-client.ts';
import type { Clocks } from '../../wire/upstream.ts';
import { eventually } from '../../../test/eventually.ts';
import { BUSY, busy, CRASHED, digestMismatch, forbidden } from '../../../test/scripted-ollama-faults.ts';
import type { Fault } from '../../../test/scripted-ollama-faults.ts';
import { pullLines } from '../../../test/scripted-ollama-models.ts';
import { all, bytes, CHAT, DIGEST, OPERATIONS } from '../../../test/ollama-operations.ts';
import { startScriptedOllama } from '../../../test/scripted-ollama.ts';
import type { ScriptedOllama, ScriptedOllamaOptions } from '../../../test/scripted-ollama.ts';
import { createOllamaClient } from './client.ts';
import type { OllamaClient } from './client.ts';

const STREAMS = OPERATIONS.filter(({ streams }) => streams === true);

const QUICK: Clocks = { connectMs: 5_000, firstByteMs: 60, idleMs: 60, totalMs: 5_000 };
const PATIENT: Clocks = { connectMs: 5_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: 10_000 };

type Setting = AsyncDisposable & { readonly ollama: ScriptedOllama; readonly client: OllamaClient };

async function start(
  fault: readonly [string, Fault] | undefined,
  more: { readonly clocks?: Clocks; readonly options?: ScriptedOllamaOptions; readonly key?: string } = {},
): Promise<Setting> {
  const ollama = await startScriptedOllama({
    models: [{ name: 'tiny' }],
    registry: [{ name: 'far' }],
    ...more.options,
  });
  const upstream = createUpstreamClient({ tickMs: 5 });
  if (fault !== undefined) ollama.always(...fault);
  const { clocks = PATIENT } = more;
  return {
    ollama,
    client: createOllamaClient({
      url: ollama.url,
      upstream,
      clocks,
      lookClocks: clocks,
      transferClocks: clocks,
      ...(more.key === undefined ? {} : { apiKey: new Secret(more.key) }),
    }),
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await ollama[Symbol.asyncDispose]();
    },
  };
}

const never = new AbortController().signal;

for (const { name, path, run } of OPERATIONS) {
  test(`${name}: a refusal without a word is one of this address`, async () => {
    await using setting = await start([path, forbidden]);
    await assert.rejects(run(setting.client, never), { code: 'upstream_auth', message: /OLLAMA_ORIGINS/ });
  });

  test(`${name}: silence before the head ends at its deadline, and the connection is closed`, async () => {
    await using setting = await start([path, { kind: 'silent' }], { clocks: QUICK });
    await assert.rejects(run(setting.client, never), {
      code: 'upstream_timeout',
      message: new RegExp(`^${setting.ollama.url}.* no response head within 60 ms`),
    });
    await eventually(() => assert.equal(setting.ollama.inFlight(), 0));
  });

  test(`${name}: an abort before the head closes the connection`, async () => {
    await using setting = await start([path, { kind: 'silent' }]);
    const controller = new AbortController();
    const failed = assert.rejects(run(setting.client, controller.signal), { code: 'client_gone' });
    await setting.ollama.arrived(path);
    controller.abort();
    await failed;
    await eventually(() => assert.equal(setting.ollama.inFlight(), 0));
  });

  test(`${name}: a host that is gone is named`, async () => {
    await using setting = await start(undefined);
    await setting.ollama.kill();
    await assert.rejects(run(setting.client, never), {
      code: 'upstream_unreachable',
      message: new RegExp(`^${setting.ollama.url}`),
    });
  });

  test(`${name}: an error of Ollama is told in its words`, async () => {
    await using setting = await start([path, { kind: 'refuse', status: 500, error: 'the disk is full' }]);
    // An answer to HEAD has no words.
    const message = name === 'hasBlob' ? /HTTP 500/ : /the disk is full/;
    await assert.rejects(run(setting.client, never), { code: 'upstream_error', message });
  });

  test(`${name}: a key goes with it, and a wrong one is said to be`, async () => {
    await using setting = await start(undefined, { options: { apiKey: 'right' }, key: 'wrong' });
    await assert.rejects(run(setting.client, never), (error: Error) => {
      assert.match(error.message, /refused the request \(401\); correct the api_key/);
      assert.doesNotMatch(error.message, /wrong|right/);
      return true;
    });
    assert.equal(setting.ollama.requests[0]?.headers['authorization'], 'Bearer wrong');
  });
}

for (const { name, path, run } of STREAMS) {
  const lines = [{ status: 'working', message: { content: 'a' }, response: 'a', done: false }];

  test(`${name}: an error in a 200 is an error`, async () => {
    await using setting = await start([path, { kind: 'error-line', lines, error: 'the disk is full' }]);
    await assert.rejects(run(setting.client, never), { code: 'upstream_error', message: /the disk is full/ });
  });

  test(`${name}: a connection that breaks in the middle is an error, marked as begun`, async () => {
    await using setting = await start([path, { kind: 'breaks', lines }]);
    await assert.rejects(run(setting.client, never), { code: 'upstream_unreachable', upstreamStatus: 200 });
  });

  test(`${name}: silence in the middle ends at its deadline`, async () => {
    await using setting = await start([path, { kind: 'stalls', lines }], { clocks: QUICK });
    await assert.rejects(run(setting.client, never), { code: 'upstream_timeout', message: /fell silent/ });
    await eventually(() => assert.equal(setting.ollama.inFlight(), 0));
  });

  test(`${name}: a line without an end is refused before it fills the memory`, async () => {
    const line = { status: 'x'.repeat(5 * 1024 * 1024) };
    await using setting = await start([path, { kind: 'lines', lines: [line] }]);
    await assert.rejects(run(setting.client, never), { code: 'upstream_invalid', message: /bytes/ });
  });

  test(`${name}: another server’s page is not its answer`, async () => {
    const page = {
      kind: 'page',
      status: 200,
      contentType: 'text/html',
      body: '<html>secret</html>',
    } as const;
    await using setting = await start([path, page]);
    await assert.rejects(run(setting.client, never), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'upstream_invalid');
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
}

for (const { name, path, run } of STREAMS.filter((one) => one.name !== 'chat')) {
  test(`${name}: a stream that just ends is not done`, async () => {
    const lines = [{ status: 'working', response: 'a', done: false }];
    await using setting = await start([path, { kind: 'lines', lines }]);
    await assert.rejects(run(setting.client, never), { code: 'upstream_invalid', message: /unfinished/ });
  });
}

for (const { name, path, run, streams } of OPERATIONS.filter((one) =>
  /^(?:chat|generate|embed|load)$/.test(one.name),
)) {
  test(`${name}: a server with too much to do is overloaded`, async () => {
    await using setting = await start([path, busy]);
    await assert.rejects(run(setting.client, never), {
      code: 'overloaded',
      message: new RegExp(BUSY.slice(0, 11)),
    });
  });

  test(`${name}: a runner that dies is told of, before the first word and behind it`, async () => {
    await using setting = await start(undefined);
    const lines = [{ message: { content: 'a' }, response: 'a', done: false }];
    const crashes = [
      { kind: 'crash' },
      ...(streams === true ? [{ kind: 'crash', lines } as const] : []),
    ] as const;
    for (const crash of crashes) {
      await run(setting.client, never);
      setting.ollama.next(path, crash);
      await assert.rejects(run(setting.client, never), {
        code: 'upstream_error',
        message: new RegExp(CRASHED),
      });
      assert.deepEqual(setting.ollama.loaded(), []);
    }
  });
}

test('`completed` that falls is told as it is, and the download still ends well', async () => {
  const lines = pullLines({ name: 'far' }, { fallsBack: true });
  await using setting = await start(['/api/pull', { kind: 'lines', lines }]);
  const steps = (await all(setting.client.pull('far', never))) as readonly { completed?: number }[];
  const completed = steps.flatMap((step) => step.completed ?? []);
  assert.ok(completed.some((value, index) => value < (completed[index - 1] ?? 0)));
  assert.deepEqual(steps.at(-1), { status: 'success' });
});

test('bytes that were not those of their digest fail a download and an upload', async () => {
  await using setting = await start(['/api/pull', digestMismatch(DIGEST)]);
  await assert.rejects(all(setting.client.pull('far', never)), { message: /digest mismatch/ });
  const blob = { digest: DIGEST, bytes: 4, open: bytes };
  await assert.rejects(setting.client.uploadBlob(blob), {
    code: 'invalid_request',
    message: /digest mismatch/,
  });
  assert.equal(setting.ollama.blobs.size, 0);
});

test('a cold load of minutes is waited for', async () => {
  await using setting = await start(['/api/chat', { kind: 'late', afterMs: 150 }]);
  assert.equal((await all(setting.client.chat(CHAT, never))).length, 4);
});

test('the success of a base that is pulled is not that of the creation', async () => {
  const pulled = [{ status: 'pulling manifest' }, { status: 'success' }, { status: 'converting model' }];
  await using setting = await start(['/api/create', { kind: 'lines', lines: pulled }]);
  const create = { model: 'new', from: 'far' };
  await assert.rejects(all(setting.client.create(create, never)), {
    code: 'upstream_invalid',
    message: /unfinished/,
  });
  setting.ollama.always('/api/create', undefined);
  const steps = (await all(setting.client.create(create, never))) as readonly { status: string }[];
  assert.equal(steps.filter(({ status }) => status === 'success').length, 2);
});

test('a creation that is refused in a 200 has the code of the status in its line', async () => {
  const lines = [{ error: 'template error: x', status: 400 }];
  await using setting = await start(['/api/create', { kind: 'lines', lines }]);
  await assert.rejects(all(setting.client.create({ model: 'new', from: 'tiny' }, never)), {
    code: 'invalid_request',
    message: /template error/,
  });
});

test('what is no digest is not asked for: a path would be made of it', async () => {
  await using setting = await start(undefined);
  for (const digest of ['../../api/delete', 'sha256:ab', DIGEST.toUpperCase(), `${DIGEST}/x`]) {
    await assert.rejects(setting.client.hasBlob(digest), { code: 'invalid_request' });
  }
  assert.equal(setting.ollama.requests.length, 0);
});

test('leaving the steps of a download closes its connection', async () => {
  await using setting = await start(undefined, { options: { stepMs: 20 } });
  for await (const step of setting.client.pull('far', never)) if (step.total !== undefined) break;
  await eventually(() => assert.equal(setting.ollama.inFlight('/api/pull'), 0));
  assert.equal(setting.ollama.models.has('far:latest'), false);
});
