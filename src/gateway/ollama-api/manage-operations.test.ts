import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ollama } from 'ollama';
import type { Job } from '../../ollama/control-plane.ts';
import type { FleetBlobs } from '../../ollama/fleet/fleet-blobs.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { Secret } from '../../shared/secret.ts';
import { until } from '../../../test/eventually.ts';
import { askSocket, startGateway } from '../../../test/gateway.ts';
import type { TestGateway } from '../../../test/gateway.ts';
import { jobOf, recordedControl } from '../../../test/recorded-control.ts';
import type { RecordedControl } from '../../../test/recorded-control.ts';
import { OpenCalls } from '../open-calls.ts';
import { ollamaManageRoutes } from './manage-routes.ts';

const MASTER = 'sk-master-0123456789';
const INFERENCE = 'sk-inference-0123456789';
const DIGEST = `sha256:${'ab'.repeat(32)}`;

const refuse = (): never => {
  throw new Error('no file is asked for');
};
const NO_BLOBS: FleetBlobs = { at: refuse, hostWith: refuse };

type Managed = AsyncDisposable & {
  readonly gateway: TestGateway;
  readonly calls: OpenCalls;
  readonly ollama: Ollama;
};

async function managed(control: RecordedControl, key = MASTER): Promise<Managed> {
  const calls = new OpenCalls();
  const gateway = await startGateway([], {
    calls,
    access: {
      allowedHosts: [],
      allowedOrigins: [],
      masterKey: new Secret(MASTER),
      inferenceKeys: [new Secret(INFERENCE)],
    },
    extraRoutes: ollamaManageRoutes({ control, blobs: NO_BLOBS, heartbeat: { firstMs: 20, everyMs: 20 } }),
  });
  return {
    gateway,
    calls,
    ollama: new Ollama({ host: gateway.origin, headers: { authorization: `Bearer ${key}` } }),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

const progress = (completedBytes: number): Job['progress'] => ({
  status: 'pulling abababababab',
  layers: [{ digest: DIGEST, totalBytes: 100, completedBytes }],
});
const PULL: readonly Job[] = [
  jobOf({ state: 'queued', progress: { status: '', layers: [] } }),
  jobOf({ progress: { status: 'pulling manifest', layers: [] } }),
  jobOf({ progress: progress(40) }),
  jobOf({ progress: progress(40) }),
  jobOf({ progress: progress(100) }),
  jobOf({ progress: { ...progress(100), status: 'verifying sha256 digest' } }),
  jobOf({ state: 'done', progress: { ...progress(100), status: 'success' } }),
];

test('the ollama client pulls, pushes and creates as jobs, whole and streaming', async () => {
  const control = recordedControl();
  control.script = PULL;
  await using own = await managed(control);
  const lines: unknown[] = [];
  for await (const line of await own.ollama.pull({ model: 'llama3', stream: true })) lines.push(line);
  const layer = { status: 'pulling abababababab', digest: DIGEST, total: 100 };
  assert.deepEqual(lines, [
    { status: 'pulling manifest' },
    { ...layer, completed: 40 },
    { ...layer, completed: 100 },
    { status: 'verifying sha256 digest' },
    { status: 'success' },
  ]);
  assert.deepEqual(await own.ollama.pull({ model: 'llama3' }), { status: 'success' });
  await own.ollama.push({ model: 'team/llama3', insecure: true });
  await own.ollama.create({ model: 'mario', from: 'llama3', system: 'Be Mario.', parameters: { seed: 1 } });
  const source = { from: 'llama3', system: 'Be Mario.', parameters: { seed: 1 } };
  const job = (spec: object): string => `startJob(${JSON.stringify(spec)})`;
  assert.deepEqual(control.calls, [
    job({ kind: 'pull', model: 'llama3' }),
    job({ kind: 'pull', model: 'llama3' }),
    job({ kind: 'push', model: 'team/llama3', insecure: true }),
    job({ kind: 'create', model: 'mario', source }),
  ]);
});

test('a job that fails is an error of the stream, and of the answer in one piece', async () => {
  const error = { code: 'upstream_error', message: 'pull model manifest: file does not exist' };
  for (const end of [
    jobOf({ state: 'failed', error }),
    jobOf({ state: 'cancelled' }),
    jobOf({ state: 'lost' }),
  ]) {
    const control = recordedControl();
    control.script = [jobOf(), end];
    await using own = await managed(control);
    const pull = async (): Promise<void> => {
      for await (const line of await own.ollama.pull({ model: 'x', stream: true })) assert.ok(line.status);
    };
    await assert.rejects(pull, end.error ? /file does not exist/ : /job-1/);
    await assert.rejects(own.ollama.pull({ model: 'x' }), { status_code: 502 });
  }
});

test('a job that is tried again says why', async () => {
  const control = recordedControl();
  const error = { code: 'upstream_error', message: 'no such host' };
  control.script = [
    jobOf({ error, progress: { status: 'trying again in 2 s', layers: [] } }),
    jobOf({ state: 'done' }),
  ];
  await using own = await managed(control);
  const told: string[] = [];
  for await (const { status } of await own.ollama.pull({ model: 'x', stream: true })) told.push(status);
  assert.deepEqual(told, ['trying again in 2 s: no such host', 'pulling manifest', 'success']);
});

test('who leaves stops watching, and the job goes on', async () => {
  const control = recordedControl();
  await using own = await managed(control);
  const stream = await own.ollama.pull({ model: 'llama3', stream: true });
  await assert.rejects(async () => {
    for await (const line of stream) {
      assert.deepEqual(line, { status: '' });
      stream.abort();
    }
  }, /abort/i);
  await until(() => control.watching.some((signal) => signal.aborted), 'nobody watches');
  assert.ok(!control.calls.some((call) => call.startsWith('cancelJob')));
  await until(() => own.gateway.outcomes().length === 1, 'the request has ended');
  assert.deepEqual(own.gateway.outcomes(), ['client_gone']);
});

test('a server that ends says so to who watches a job, and watches it no more', async () => {
  const control = recordedControl();
  await using own = await managed(control);
  const headers = { authorization: `Bearer ${MASTER}` };
  const watched = askSocket(own.gateway, { path: '/api/pull', headers, body: { model: 'llama3' } });
  await until(() => control.watching.length === 1, 'somebody watches');
  own.calls.endAll(new ObeliskError('overloaded', 'the server is stopping'));
  assert.match((await watched).text, /\{"error":"the server is stopping"\}\n?$/);
  assert.equal(control.watching[0]?.aborted, true);
});

test('models are copied and deleted, and a refusal has Ollama’s shape', async () => {
  const control = recordedControl({
    remove: () => Promise.reject(new ObeliskError('model_not_found', 'no host has nope')),
  });
  await using own = await managed(control);
  const headers = { authorization: `Bearer ${MASTER}` };
  const named = { path: '/api/pull', headers, body: { model: '', name: 'no name' } };
  assert.equal((await askSocket(own.gateway, named)).status, 400);
  assert.equal((await askSocket(own.gateway, { ...named, body: { model: '' } })).status, 400);
  await own.ollama.copy({ source: 'llama3', destination: 'backup' });
  assert.deepEqual(control.calls, ['copy("llama3", "backup", )']);
  await assert.rejects(own.ollama.delete({ model: 'nope' }), { status_code: 404, message: /not found/ });
});

test('none of it is for a key that opens models only', async () => {
  const control = recordedControl();
  await using own = await managed(control, INFERENCE);
  await assert.rejects(own.ollama.pull({ model: 'x' }), { status_code: 403 });
  await assert.rejects(own.ollama.delete({ model: 'x' }), { status_code: 403 });
  const bare = await askSocket(own.gateway, { path: '/api/pull', body: { model: 'x' } });
  assert.equal(bare.status, 401);
  assert.equal(typeof JSON.parse(bare.text).error, 'string');
  assert.deepEqual(control.calls, []);
});
