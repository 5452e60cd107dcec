import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from '../../test/eventually.ts';
import { askSocket, dataOf, startGateway } from '../../test/gateway.ts';
import type { Answer } from '../../test/gateway.ts';
import { freePort, refusingOrigin } from '../../test/ports.ts';
import { always, chat, deployments, failing, messages, startRouted, tooMany } from '../../test/routed.ts';
import { cutShort, json, openAi, sse } from '../../test/upstream-scripts.ts';
import { close, reset, stall, startUpstream, wait } from '../../test/upstream.ts';
import type { Script } from '../../test/upstream.ts';
import { Secret } from '../shared/secret.ts';

test('a server that refused a moment ago is asked again at once where there is no other', async () => {
  const port = await freePort();
  await using gateway = await startRouted(deployments([`http://127.0.0.1:${port}`]));
  const refused = await chat(gateway);
  assert.equal(refused.status, 502);
  assert.equal(refused.headers['x-obelisk-attempts'], '1');
  assert.match(refused.text, /upstream_unreachable/);
  await using _back = await startUpstream(openAi(), { port });
  assert.equal((await chat(gateway)).status, 200);
});

test('an answer that came at the second attempt says so, in its header, in the log and in the metrics', async () => {
  await using well = await startUpstream(openAi());
  const group = deployments([await refusingOrigin(), well.origin]);
  const [dead] = group;
  assert.ok(dead);
  await using gateway = await startGateway([
    { ...dead, routing: { weight: 1 } },
    { ...(group[1] ?? dead), routing: { weight: 0 } },
  ]);
  const answer = await chat(gateway);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['x-obelisk-attempts'], '2');
  assert.equal(answer.headers['x-obelisk-deployment'], 'test#1');
  await until(() => gateway.outcomes().length === 1, 'the call is logged');
  assert.equal(gateway.log.find((line) => line.message === 'request')?.fields['attempts'], 2);
  const cooled = gateway.log.find((line) => line.message.startsWith('deployment left alone'));
  assert.equal(cooled?.fields['cause'], 'unreachable');
  assert.equal((await chat(gateway)).headers['x-obelisk-attempts'], '1');
});

test('an answer that broke in the middle is not asked for again', async () => {
  for (const script of [
    always(cutShort('{"choices":', 500), close),
    always(cutShort('{"choices":', 500), reset),
  ]) {
    await using bad = await startUpstream(script);
    await using gateway = await startRouted(deployments([bad.origin, bad.origin]));
    const answer = await chat(gateway);
    assert.equal(answer.status, 502);
    assert.equal(answer.headers['x-obelisk-attempts'], '1');
    assert.equal(bad.requests.length, 1);
  }
});

test('what the client did wrong, and what is not there, is answered once', async () => {
  for (const status of [400, 404, 413, 422]) {
    await using upstream = await startUpstream(failing(status));
    await using gateway = await startRouted(deployments([upstream.origin, upstream.origin]));
    const answer = await chat(gateway);
    assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
    assert.equal(upstream.requests.length, 1);
  }
});

test('the same deployment is asked again after a pause for 408, 409 and 5xx only', async () => {
  for (const status of [408, 409, 500, 502, 503, 529]) {
    await using upstream = await startUpstream((request, index) =>
      index < 2
        ? [json({ error: { message: 'no' } }, status)]
        : [
            json({
              choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
            }),
          ],
    );
    await using gateway = await startRouted(deployments([upstream.origin]));
    const answer = await chat(gateway);
    assert.equal(answer.status, 200, String(status));
    const received = upstream.requests.map((one) => `${one.connection} ${one.method} ${one.path}`);
    assert.equal(answer.headers['x-obelisk-attempts'], '3', `${status}: ${received.join(', ')}`);
  }
});

test('num_retries lowers how often, down to never', async () => {
  await using upstream = await startUpstream(failing(500));
  await using gateway = await startRouted(deployments([upstream.origin, upstream.origin], { retries: 0 }));
  const answer = await chat(gateway);
  assert.equal(answer.status, 502);
  assert.equal(upstream.requests.length, 1);
});

test('a 429 sends the request elsewhere, and where there is no elsewhere its wait is told, at most a minute', async () => {
  const date = new Date(Date.now() + 10 * 365 * 86_400_000).toUTCString();
  for (const [retryAfter, told] of [
    ['7', 7],
    [date, 60],
    ['-5', 1],
    ['soon', 1],
  ] as const) {
    const busy: Script = always(tooMany(retryAfter));
    await using one = await startUpstream(busy);
    await using well = await startUpstream(openAi());
    await using pair = await startRouted(deployments([one.origin, well.origin]));
    for (let at = 0; at < 6; at += 1) assert.equal((await chat(pair)).status, 200);
    assert.ok(one.requests.length <= 1);
    await using alone = await startRouted(deployments([one.origin], { retries: 0 }));
    const before = one.requests.length;
    for (let at = 0; at < 3; at += 1) {
      const answer = await chat(alone);
      assert.equal(answer.status, 429);
      const wait = Number(answer.headers['retry-after']);
      assert.ok(wait >= Math.min(told, told - 1) && wait <= told, `${wait} s for ${retryAfter}`);
    }
    assert.equal(one.requests.length, before + 1);
  }
});

test('a refused key disables its deployment, is told as 502 without a word of the body, and logged as an error', async () => {
  for (const status of [401, 403]) {
    await using locked = await startUpstream(failing(status, { message: 'bad key sk-very-secret' }));
    const group = deployments([locked.origin]).map((one) => ({
      ...one,
      apiKey: new Secret('sk-very-secret'),
    }));
    await using gateway = await startGateway(group);
    for (let at = 0; at < 3; at += 1) {
      const answer = await chat(gateway);
      assert.equal(answer.status, 502);
      assert.match(answer.text, /upstream_auth/);
      assert.doesNotMatch(answer.text, /very-secret|bad key/);
    }
    assert.equal(locked.requests.length, 1);
    const alerts = gateway.log.filter((line) => line.level === 'error');
    assert.equal(alerts.length, 1);
    assert.doesNotMatch(JSON.stringify(gateway.log), /very-secret|bad key/);
  }
});

test('limits of a deployment are kept, and told as 429 with a wait where every one is reached', async () => {
  await using upstream = await startUpstream(openAi());
  await using byMinute = await startRouted(deployments([upstream.origin, upstream.origin], { rpm: 2 }));
  const answers: Answer[] = [];
  for (let at = 0; at < 5; at += 1) answers.push(await chat(byMinute));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 429],
  );
  const [, , , , last] = answers;
  assert.ok(Number(last?.headers['retry-after']) > 50);
  assert.match(last?.text ?? '', /rate_limit_error/);
  await using byTokens = await startRouted(deployments([upstream.origin], { tpm: 20 }));
  // Each answer has 12 tokens: what was spent is known at the end.
  const statuses: number[] = [];
  for (let at = 0; at < 3; at += 1) statuses.push((await chat(byTokens)).status);
  assert.deepEqual(statuses, [200, 200, 429]);
});

test('max_parallel_requests bounds what is under way, and frees with every end', async () => {
  await using upstream = await startUpstream(always(stall));
  await using gateway = await startRouted(deployments([upstream.origin], { maxParallelRequests: 1 }));
  const controller = new AbortController();
  const first = fetch(`${gateway.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages }),
    signal: controller.signal,
  });
  const left = assert.rejects(first, { name: 'AbortError' });
  await upstream.request(0);
  const second = await chat(gateway);
  assert.equal(second.status, 429);
  assert.equal(second.headers['retry-after'], '1');
  controller.abort();
  await left;
  await until(() => upstream.open === 0, 'the upstream is closed');
  const third = chat(gateway);
  await upstream.request(1);
  await upstream.close();
  assert.equal((await third).status, 502);
});

test('a client that leaves during a pause ends it', async () => {
  await using upstream = await startUpstream(failing(500));
  const group = deployments([upstream.origin]);
  await using gateway = await startRouted(group, { retryAfterMs: 60_000 });
  const controller = new AbortController();
  const asked = fetch(`${gateway.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages }),
    signal: controller.signal,
  });
  const left = assert.rejects(asked, { name: 'AbortError' });
  await upstream.request(0);
  await until(() => /outcome="upstream_error"} 1/.test(gateway.metrics()), 'the first attempt has failed');
  controller.abort();
  await left;
  await until(() => gateway.outcomes().length === 1, 'the call is settled');
  assert.deepEqual(gateway.outcomes(), ['client_gone']);
  assert.equal(upstream.requests.length, 1);
});

test('a stream is tried again after signs of life, but never after its first data', async () => {
  const slow: Script = always(wait(60), reset);
  await using bad = await startUpstream(slow);
  await using well = await startUpstream(openAi());
  const [one, two] = deployments([bad.origin, well.origin]);
  assert.ok(one && two);
  const group = [
    { ...one, routing: { weight: 1 } },
    { ...two, routing: { weight: 0 } },
  ];
  await using gateway = await startGateway(group, { heartbeat: { firstMs: 10, everyMs: 10 } });
  const answer = await chat(gateway, { stream: true });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /^: loading/);
  assert.equal(dataOf(answer.text).at(-1), '[DONE]');
  assert.doesNotMatch(answer.text, /"error"/);
  const part = { choices: [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }] };
  await using breaking = await startUpstream(always(...sse([part]).slice(0, 2), wait(50), close));
  await using second = await startRouted(deployments([breaking.origin, breaking.origin]));
  const broken = await chat(second, { stream: true });
  assert.match(broken.text, /Hel/);
  assert.match(broken.text, /"error"/);
  assert.equal(breaking.requests.length, 1);
});

test('embeddings find another deployment as chats do', async () => {
  await using well = await startUpstream(openAi());
  const group = deployments([await refusingOrigin(), well.origin]).map((one) => ({
    ...one,
    capabilities: { embedding: true },
  }));
  await using gateway = await startRouted(group);
  for (let at = 0; at < 8; at += 1) {
    const answer = await askSocket(gateway, {
      path: '/v1/embeddings',
      body: { model: 'test-model', input: 'x' },
    });
    assert.equal(answer.status, 200);
  }
});
