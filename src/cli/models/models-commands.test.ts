import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { runCli } from '../../../test/command-line.ts';
import type { CommandLineResult } from '../../../test/command-line.ts';
import { until } from '../../../test/eventually.ts';
import { startGateway } from '../../../test/gateway.ts';
import { jobOf, recordedControl } from '../../../test/recorded-control.ts';
import type { RecordedControl } from '../../../test/recorded-control.ts';
import { managementRoutes } from '../../gateway/ollama-management/routes.ts';
import type { ControlPlane, Job } from '../../ollama/control-plane.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { Secret } from '../../shared/secret.ts';

type Remote = {
  readonly control: RecordedControl;
  readonly folder: string;
  run(
    given: readonly string[],
    options?: { readonly isTerminal?: boolean; readonly signal?: AbortSignal; readonly input?: string },
  ): Promise<CommandLineResult>;
};

/** A command line beside a server that runs, as it finds one: by the files in the data directory. */
async function remote(context: TestContext, changes: Partial<ControlPlane> = {}): Promise<Remote> {
  const control = recordedControl(changes);
  const token = 'local-token-0123456789';
  const gateway = await startGateway([], {
    access: { allowedHosts: [], allowedOrigins: [], localToken: new Secret(token) },
    extraRoutes: managementRoutes({ control }),
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-models-'));
  context.after(async () => {
    await gateway[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  writeFileSync(path.join(folder, 'server.token'), token);
  writeFileSync(
    path.join(folder, 'server.json'),
    JSON.stringify({ url: gateway.origin, pid: 1, tokenFile: 'server.token' }),
  );
  return { control, folder, run: (given, options = {}) => runCli(given, { cwd: folder, ...options }) };
}

const halfway = {
  status: 'pulling 0123456789ab',
  totalBytes: 4_000_000_000,
  completedBytes: 1_000_000_000,
  bytesPerSecond: 50_000_000,
  secondsLeft: 60,
  layers: [],
};

test('a pull shows how far it is and ends with its job', async (context) => {
  const own = await remote(context);
  own.control.script = [jobOf({ progress: halfway }), jobOf({ state: 'done' })];
  const { code, stdout, stderr } = await own.run(['models', 'pull', 'llama3', '--host', 'workstation']);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^pull llama3: +25% pulling 0123456789ab, 1\.0 GB of 4\.0 GB, 50\.0 MB\/s, 1m 00s left\n✓ pull llama3\n$/,
  );
  assert.deepEqual(own.control.calls, ['startJob({"model":"llama3","host":"workstation","kind":"pull"})']);
});

test('on a terminal the bar redraws itself in one line that fits, and goes', async (context) => {
  const own = await remote(context);
  own.control.script = [jobOf({ progress: halfway }), jobOf({ state: 'done' })];
  const { stderr } = await own.run(['models', 'pull', 'llama3'], { isTerminal: true });
  const [before, bar = '', after] = stderr.split('\r\u001b[2K');
  assert.equal(before, '');
  assert.match(after ?? '', /✓.* pull llama3\n$/);
  assert.match(bar, /^██████░{18} {2}25% pull llama3, pulling 0123456789ab/);
  assert.ok(bar.length < 80);
});

test('a job that fails, or is lost, ends the command with 1 and what happened', async (context) => {
  for (const state of ['failed', 'lost'] as const) {
    const own = await remote(context);
    own.control.script = [jobOf({ state, error: { code: 'upstream_error', message: 'disk full' } })];
    const { code, stderr } = await own.run(['models', 'pull', 'llama3', 'never-begun']);
    assert.equal(code, 1);
    assert.equal(stderr, 'pull llama3: disk full\n');
    assert.equal(own.control.calls.length, 1, 'what comes after it is not begun');
  }
});

test('--json prints the jobs as they ended and --detach does not wait', async (context) => {
  const own = await remote(context);
  own.control.script = [jobOf({ state: 'done' })];
  const done = await own.run(['models', 'ensure', 'a', 'b', '--json']);
  const jobs: readonly Job[] = JSON.parse(done.stdout);
  assert.deepEqual(
    jobs.map(({ state }) => state),
    ['done', 'done'],
  );
  assert.match(own.control.calls[0] ?? '', /"ifMissing":true/);
  own.control.script = [];
  const begun = await own.run(['models', 'load', 'c', '--keep-alive', '2h', '--detach']);
  assert.equal(begun.code, 0);
  assert.match(begun.stderr, /goes on in the server as job-\d+: obelisk models jobs/);
});

test('Ctrl-C cancels the job that the command began, and leaves one that somebody else began', async (context) => {
  const own = await remote(context);
  const interrupt = async (): Promise<CommandLineResult> => {
    const stop = new AbortController();
    const watched = own.control.watching.length;
    const running = own.run(['models', 'pull', 'llama3'], { signal: stop.signal });
    await until(() => own.control.watching.length > watched, 'the job is watched');
    stop.abort();
    return running;
  };
  const first = await interrupt();
  assert.equal(first.code, 130);
  assert.match(first.stderr, /pull llama3 is cancelled; another pull goes on from where it was/);
  assert.deepEqual(own.control.calls.slice(1), ['cancelJob("job-1")']);
  own.control.calls.length = 0;
  const second = await interrupt();
  assert.equal(second.code, 130);
  assert.match(second.stderr, /was begun elsewhere and goes on in the server as job-1/);
  assert.deepEqual(
    own.control.calls.filter((call) => call.startsWith('cancelJob')),
    [],
  );
});

test('a refusal of the server is said in its words, and as JSON', async (context) => {
  const own = await remote(context, {
    startJob() {
      throw new ObeliskError('forbidden', 'the registry evil.example is not allowed');
    },
  });
  const plain = await own.run(['models', 'pull', 'evil.example/a/b']);
  assert.equal(plain.code, 1);
  assert.equal(plain.stderr, 'obelisk models pull: the registry evil.example is not allowed\n');
  const json = await own.run(['models', 'push', 'evil.example/a/b', '--json']);
  assert.equal(JSON.parse(json.stderr).error.code, 'forbidden');
});

test('a model is made of what is given, with absolute paths', async (context) => {
  const own = await remote(context);
  own.control.script = [jobOf({ state: 'done' })];
  writeFileSync(path.join(own.folder, 'model.gguf'), 'GGUF');
  writeFileSync(path.join(own.folder, 'Modelfile'), 'FROM llama3\n');
  const options = ['-p', 'temperature=0.2', '-p', 'stop=a', '-p', 'stop=b', '-q', 'q8_0', '--system', 'Hi'];
  assert.equal((await own.run(['models', 'create', 'm', '--from', 'model.gguf', ...options])).code, 0);
  assert.equal((await own.run(['models', 'create', 'm'])).code, 0);
  assert.equal((await own.run(['models', 'create', 'm', '-f', '-'], { input: 'FROM x\n' })).code, 0);
  const sources = own.control.calls.map((call) => JSON.parse(call.slice(9, -1)).source);
  assert.deepEqual(sources, [
    {
      from: path.join(own.folder, 'model.gguf'),
      quantize: 'q8_0',
      system: 'Hi',
      parameters: { temperature: 0.2, stop: ['a', 'b'] },
    },
    { modelfile: 'FROM llama3\n', directory: own.folder },
    { modelfile: 'FROM x\n', directory: own.folder },
  ]);
  const missing = await own.run(['models', 'create', 'm', '--from', './none.gguf']);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /none\.gguf; check the path of --from/);
});

test('what is typed wrong is told before anything is asked', async (context) => {
  const own = await remote(context);
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['models', 'pull'], /write the name of a model/],
    [['models', 'plul', 'a'], /did you mean "models pull"\?/],
    [['models', 'cp', 'a'], /SOURCE DESTINATION/],
    [['models', 'show', 'a', 'b'], /one model/],
    [['models', 'fit', 'a', '--ctx', 'many'], /--ctx must be a whole number/],
    [['models', 'create', 'm', '--from', 'x', '-p', 'temperature'], /NAME=VALUE/],
    [['models', 'rm', '--force', 'a'], /unknown option --force/],
    [['ollama', 'profiles', 'a', '--set', 'num_ctx=lots'], /a number, true or false/],
    [['ollama', 'profiles', '--set', 'num_ctx=1'], /write the name of a model, or "default"/],
    [['ollama'], /write what to do: ollama hosts/],
    [['completion', 'tcsh'], /bash, zsh or fish/],
  ];
  for (const [given, message] of wrong) {
    const { code, stderr } = await own.run(given);
    assert.equal(code, 2, given.join(' '));
    assert.match(stderr, message);
  }
  assert.deepEqual(own.control.calls, []);
});

test('tables show what there is, and nothing that could move the cursor', async (context) => {
  const own = await remote(context, {
    models: () =>
      Promise.resolve([
        {
          name: 'evil\u001b[2J:latest',
          digest: '0123456789abcdef',
          sizeBytes: 4_700_000_000,
          modifiedAt: '2026-01-02T03:04:05Z',
          capabilities: ['chat'],
          hosts: [{ host: 'workstation', loaded: true, digest: '0123456789abcdef' }],
        },
      ]),
  });
  const list = await own.run(['models', 'list']);
  assert.match(list.stdout, /evil\[2J:latest +0123456789ab +4\.7 GB +- +2026-01-02 +workstation\* +chat/);
  const running = await own.run(['models', 'ps']);
  assert.match(running.stdout, /llama3:latest +workstation +loaded +4\.0 GB +100% +8192 +1 +2 +for ever/);
  const hosts = await own.run(['ollama', 'hosts', '--drain', 'workstation']);
  assert.match(hosts.stdout, /workstation +up +0\.24\.0 +1 +1 +4\.0 GB of 24\.0 GB +1 +2/);
  assert.ok(own.control.calls.includes('drain("workstation", true)'));
  const profile = await own.run([
    'ollama',
    'profiles',
    'llama3',
    '--set',
    'num_ctx=8192',
    '--unset',
    'num_gpu',
  ]);
  assert.match(profile.stdout, /num_ctx +8192 +configured/);
  assert.ok(
    own.control.calls.includes('patchProfile("llama3", {"options":{"num_ctx":8192,"num_gpu":null}}, {})'),
  );
});
