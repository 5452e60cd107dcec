import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/eventually.ts';
import { askSocket, startGateway } from '../../../test/gateway.ts';
import type { Answer, TestGateway } from '../../../test/gateway.ts';
import { HOST, jobOf, recordedControl } from '../../../test/recorded-control.ts';
import type { RecordedControl } from '../../../test/recorded-control.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { Secret } from '../../shared/secret.ts';
import { OpenCalls } from '../open-calls.ts';
import { MANAGEMENT_ROUTES } from './route-list.ts';
import { managementRoutes } from './routes.ts';

const MASTER = 'sk-master-0123456789';
const INFERENCE = 'sk-inference-0123456789';

type Managed = {
  readonly control: RecordedControl;
  readonly gateway: TestGateway;
  readonly calls: OpenCalls;
  /** Asks with the master key. */
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
};

async function managed(control: RecordedControl = recordedControl()): Promise<Managed & AsyncDisposable> {
  const calls = new OpenCalls();
  const gateway = await startGateway([], {
    access: {
      allowedHosts: [],
      allowedOrigins: [],
      masterKey: new Secret(MASTER),
      inferenceKeys: [new Secret(INFERENCE)],
    },
    extraRoutes: managementRoutes({ control, heartbeat: { firstMs: 30, everyMs: 30 } }),
    calls,
  });
  return {
    control,
    gateway,
    calls,
    ask: (method, path, body) =>
      askSocket(gateway, {
        method,
        path,
        headers: { authorization: `Bearer ${MASTER}` },
        ...(body === undefined ? {} : { body }),
      }),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

const errorOf = ({ text }: Answer): { code: string; message: string; type: string; param: string | null } =>
  JSON.parse(text).error;

test('every route of the management needs the owner, says so in OpenAI’s shape, and says what to do', async () => {
  await using own = await managed();
  for (const [method, pattern, access] of MANAGEMENT_ROUTES) {
    const path = pattern.replace(/\{\w+\}/, 'x');
    const body = method === 'POST' || method === 'PATCH' ? { body: {} } : {};
    const bare = await askSocket(own.gateway, { method, path, ...body });
    assert.equal(bare.status, 401, `${method} ${path}`);
    assert.equal(errorOf(bare).type, 'authentication_error');
    if (access === 'key') continue;
    assert.equal(access, 'admin');
    assert.match(errorOf(bare).message, /send "authorization: Bearer <key>" with the master key/);
    const headers = { authorization: `Bearer ${INFERENCE}` };
    const little = await askSocket(own.gateway, { method, path, headers, ...body });
    assert.equal(little.status, 403, `${method} ${path}`);
    assert.equal(errorOf(little).code, 'forbidden');
    assert.match(errorOf(little).message, /send the master key/);
  }
  assert.deepEqual(own.control.calls, []);
});

test('hosts are shown and drained', async () => {
  await using own = await managed();
  assert.deepEqual(JSON.parse((await own.ask('GET', '/ollama/hosts')).text), { data: [HOST] });
  assert.deepEqual(JSON.parse((await own.ask('GET', '/ollama/hosts/workstation')).text), HOST);
  assert.deepEqual(JSON.parse((await own.ask('GET', '/ollama/hosts/WorkStation')).text), HOST);
  const nobody = await own.ask('GET', '/ollama/hosts/nobody');
  assert.equal(nobody.status, 404);
  assert.match(errorOf(nobody).message, /there are workstation/);
  const drained = await own.ask('PATCH', '/ollama/hosts/workstation', { draining: true });
  assert.equal(JSON.parse(drained.text).draining, true);
});

test('a model is meant by the rest of the path, with slashes and tag, and at the host of the query', async () => {
  await using own = await managed();
  const name = 'registry.example:5000/team/model:q4';
  await own.ask('GET', `/ollama/models/${name}?verbose=true&host=workstation`);
  await own.ask('DELETE', `/ollama/models/${encodeURIComponent(name)}?host=workstation`);
  await own.ask('GET', '/ollama/fit/llama3?numCtx=8192&parallel=2');
  await own.ask('PATCH', '/ollama/profiles/llama3', { options: { num_ctx: 4096, num_gpu: null } });
  await own.ask('POST', '/ollama/copy', { source: 'a', destination: 'b/c' });
  await own.ask('POST', '/ollama/unload', { model: 'a', host: 'workstation' });
  assert.deepEqual(own.control.calls, [
    `show("${name}", {"host":"workstation","verbose":true})`,
    `remove("${name}", {"host":"workstation"})`,
    'fit("llama3", {"numCtx":8192,"parallel":2})',
    'patchProfile("llama3", {"options":{"num_ctx":4096,"num_gpu":null}}, {})',
    'copy("a", "b/c", {})',
    'unload("a", {"host":"workstation"})',
  ]);
});

test('a job is accepted once, and whoever asks for the same joins it', async () => {
  await using own = await managed();
  const spec = { kind: 'pull', model: 'llama3', ifMissing: true };
  const first = await own.ask('POST', '/ollama/jobs', spec);
  assert.equal(first.status, 202);
  assert.equal(first.headers['location'], '/ollama/jobs/job-1');
  assert.equal((await own.ask('POST', '/ollama/jobs', spec)).status, 200);
  assert.equal(JSON.parse((await own.ask('GET', '/ollama/jobs')).text).data.length, 1);
  assert.equal(JSON.parse((await own.ask('DELETE', '/ollama/jobs/job-1')).text).state, 'cancelled');
  assert.equal((await own.ask('GET', '/ollama/jobs/job-2')).status, 404);
  assert.equal((await own.ask('GET', '/ollama/job-events/job-2')).status, 404);
});

test('a job is watched event by event until it has ended', async () => {
  const control = recordedControl();
  await using own = await managed(control);
  control.known.push(jobOf());
  control.script = [jobOf(), jobOf({ state: 'done' })];
  const watched = await own.ask('GET', '/ollama/job-events/job-1');
  assert.match(watched.headers['content-type'] ?? '', /^text\/event-stream/);
  const events = watched.text.split('\n\n').filter((event) => event.startsWith('event: job\n'));
  const states = events.map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)).state);
  assert.deepEqual(states, ['running', 'done']);
});

test('whoever leaves a stream of events stops its source, and silence has signs of life', async () => {
  const control = recordedControl();
  await using own = await managed(control);
  const leaving = new AbortController();
  const response = await fetch(`${own.gateway.origin}/ollama/events`, {
    headers: { authorization: `Bearer ${MASTER}` },
    signal: leaving.signal,
  });
  let text = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text.includes(': keep-alive')) break;
  }
  leaving.abort();
  assert.match(text, /^: connected\n\n(?:: keep-alive\n\n)+$/);
  await until(() => control.watching[0]?.aborted === true, 'the source was stopped');
  await until(() => own.gateway.outcomes().includes('client_gone'), 'the call was settled');
});

test('a stream of events that the server ends says why', async () => {
  const control = recordedControl();
  await using own = await managed(control);
  const watching = own.ask('GET', '/ollama/events');
  await until(() => control.watching.length === 1, 'somebody watches');
  own.calls.endAll(new ObeliskError('overloaded', 'the server is stopping'));
  assert.match((await watching).text, /data: \{"error":\{"message":"the server is stopping"/);
});
