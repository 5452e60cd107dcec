import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { runCli } from '../../test/command-line.ts';
import type { Finding, MachinePorts } from './doctor-checks.ts';
import {
  checkClock,
  checkDataDir,
  checkIndexes,
  checkNode,
  checkPort,
  checkVaults,
} from './doctor-checks.ts';
import { checkLitellm, checkOllama } from './doctor-upstreams.ts';
import type { UpstreamPorts } from './doctor-upstreams.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Settings } from '../config/settings.ts';
import { ObeliskError } from '../shared/errors.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-doctor-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const GOOD_MACHINE: MachinePorts = {
  nodeVersion: 'v24.1.0',
  nowMs: () => Date.UTC(2026, 10, 1),
  writeProblem: () => Promise.resolve(undefined),
  freeBytes: () => Promise.resolve(1e12),
  listenProblem: () => Promise.resolve(undefined),
  isObelisk: () => Promise.resolve(false),
  vaultProblem: () => Promise.resolve(undefined),
  countNotes: () => Promise.resolve({ notes: 3, skipped: 0 }),
  indexOf: () => Promise.resolve({ state: 'ready', bytes: 1024 }),
};

const GOOD_UPSTREAMS: UpstreamPorts = {
  nowMs: () => Date.UTC(2026, 10, 1),
  ollamaVersion: () => Promise.resolve('0.32.1'),
  ollamaModels: () =>
    Promise.resolve([
      { name: 'llama3:latest', capabilities: ['completion', 'tools'] },
      { name: 'all-minilm:latest', capabilities: ['embedding'] },
    ]),
  openAddresses: () => Promise.resolve([]),
  litellmModels: () => Promise.resolve({ status: 200 }),
};

function settingsOf(environment: Readonly<Record<string, string>> = {}): Settings {
  return loadConfig({ flags: {}, environment, cwd: folder, platform: 'linux', homeDir: '/home/x' }).settings;
}

const statuses = (findings: readonly Finding[]): readonly string[] => findings.map(({ status }) => status);

test('a machine in order has no findings to act on', async () => {
  const settings = settingsOf({ LITELLM_API_URL: 'http://127.0.0.1:4001' });
  const findings = [
    checkNode(GOOD_MACHINE),
    checkClock(GOOD_MACHINE),
    await checkDataDir(settings, GOOD_MACHINE),
    await checkPort(settings, GOOD_MACHINE),
    ...(await checkVaults(settings, GOOD_MACHINE)),
    ...(await checkIndexes(settings, GOOD_MACHINE)),
    ...(await checkOllama(settings, GOOD_UPSTREAMS)),
    ...(await checkLitellm(settings, GOOD_UPSTREAMS)),
  ];
  assert.deepEqual([...new Set(statuses(findings))], ['ok']);
  assert.ok(findings.every((finding) => finding.remedy === undefined));
});

test('each thing that is wrong on the machine is told with what to do', async () => {
  const settings = settingsOf();
  const cases: readonly (readonly [Finding | readonly Finding[], 'warn' | 'fail', RegExp])[] = [
    [checkNode({ ...GOOD_MACHINE, nodeVersion: 'v20.11.0' }), 'fail', /too old/],
    [checkClock({ ...GOOD_MACHINE, nowMs: () => 0 }), 'fail', /1970/],
    [
      await checkDataDir(settings, { ...GOOD_MACHINE, writeProblem: () => Promise.resolve('EACCES') }),
      'fail',
      /cannot be written \(EACCES\)/,
    ],
    [
      await checkDataDir(settings, { ...GOOD_MACHINE, freeBytes: () => Promise.resolve(1e6) }),
      'warn',
      /0 MiB left/,
    ],
    [
      await checkPort(settings, { ...GOOD_MACHINE, listenProblem: () => Promise.resolve('EADDRINUSE') }),
      'fail',
      /another program listens on 127\.0\.0\.1:4000/,
    ],
    [
      await checkPort(settings, { ...GOOD_MACHINE, listenProblem: () => Promise.resolve('EACCES') }),
      'fail',
      /nobody can listen/,
    ],
    [
      await checkVaults(settings, { ...GOOD_MACHINE, vaultProblem: () => Promise.resolve('does not exist') }),
      'fail',
      /does not exist/,
    ],
    [
      await checkVaults(settings, {
        ...GOOD_MACHINE,
        countNotes: () => Promise.resolve({ notes: 0, skipped: 0 }),
      }),
      'warn',
      /holds no notes/,
    ],
    [
      await checkIndexes(settings, {
        ...GOOD_MACHINE,
        indexOf: () => Promise.resolve({ state: 'absent', bytes: 0 }),
      }),
      'warn',
      /not indexed yet/,
    ],
  ];
  for (const [found, status, message] of cases) {
    const finding = Array.isArray(found) ? (found as readonly Finding[])[0] : (found as Finding);
    assert.equal(finding?.status, status, finding?.message);
    assert.match(finding?.message ?? '', message);
    assert.ok(finding?.remedy, `${finding?.message} has a remedy`);
  }
});

test('a port that Obelisk itself has is in order', async () => {
  const machine = {
    ...GOOD_MACHINE,
    isObelisk: () => Promise.resolve(true),
    listenProblem: () => Promise.resolve('EADDRINUSE'),
  };
  assert.equal((await checkPort(settingsOf(), machine)).status, 'ok');
});

test('Ollama away, old, empty, open to others or with models elsewhere is a warning each', async () => {
  const settings = settingsOf();
  const away = await checkOllama(settings, {
    ...GOOD_UPSTREAMS,
    ollamaVersion: () => Promise.reject(new ObeliskError('upstream_unreachable', 'nobody answers')),
  });
  assert.deepEqual(statuses(away), ['warn']);
  assert.match(away[0]?.remedy ?? '', /OLLAMA_URL/);
  const odd = await checkOllama(settings, {
    ...GOOD_UPSTREAMS,
    ollamaVersion: () => Promise.resolve('0.5.0'),
    ollamaModels: () =>
      Promise.resolve([
        { name: 'gpt-oss:120b-cloud', capabilities: ['completion'] },
        { name: 'kimi:latest', remoteHost: 'https://ollama.com', capabilities: ['completion'] },
      ]),
    openAddresses: () => Promise.resolve(['192.168.1.7']),
  });
  const text = odd.map(({ status, message }) => `${status} ${message}`).join('\n');
  assert.match(text, /warn .*Ollama 0\.5\.0 has a known hole, CVE-/);
  assert.match(text, /warn no chat model is installed/);
  assert.match(text, /warn no embedding model is installed/);
  assert.match(text, /warn gpt-oss:120b-cloud, kimi:latest run on another machine/);
  assert.match(text, /warn it also answers at 192\.168\.1\.7, without a key/);
});

test('each host of several is checked, with its key, and what one of them has is there', async () => {
  const settings = settingsOf();
  const [host] = settings.providers.ollama.hosts;
  assert.ok(host);
  const { ollama } = settings.providers;
  const hosts = ['a', 'b', 'c'].map((name) => ({ ...host, name, url: `http://${name}.lan:11434` }));
  const findings = await checkOllama(
    { ...settings, providers: { ...settings.providers, ollama: { ...ollama, hosts } } },
    {
      ...GOOD_UPSTREAMS,
      ollamaVersion: ({ url }) =>
        url.includes('b.lan')
          ? Promise.reject(new ObeliskError('upstream_unreachable', `nobody answers at ${url}`))
          : Promise.resolve('0.32.1'),
      ollamaModels: ({ url }) =>
        Promise.resolve([
          url.includes('a.lan')
            ? { name: 'llama3:latest', capabilities: ['completion'] }
            : { name: 'all-minilm:latest', capabilities: ['embedding'] },
        ]),
    },
  );
  assert.deepEqual(
    findings.map(({ status, message }) => `${status} ${message}`),
    [
      'ok version 0.32.1 at http://a.lan:11434',
      'warn nobody answers at http://b.lan:11434',
      'ok version 0.32.1 at http://c.lan:11434',
      'ok chat: llama3:latest',
      'ok embedding: all-minilm:latest',
    ],
  );
});

test('a model that the configuration names and nobody has is told, a listed one is not', async () => {
  const named = (model: string): Settings => ({
    ...settingsOf(),
    rag: { model },
    modelList: [{ modelName: 'fast', model: 'openai/fast', params: {}, modelInfo: {} }],
  });
  for (const known of ['fast', 'extractive', 'llama3', 'ollama/Llama3:latest'])
    assert.ok(!statuses(await checkOllama(named(known), GOOD_UPSTREAMS)).includes('warn'), known);
  const findings = await checkOllama(named('mistral'), GOOD_UPSTREAMS);
  const missing = findings.find(({ status }) => status === 'warn');
  assert.match(missing?.message ?? '', /mistral is configured but not installed/);
  assert.equal(missing?.remedy, 'ollama pull mistral');
});

test('a LiteLLM proxy that is away, refuses the key or has another clock is told', async () => {
  const settings = settingsOf({ LITELLM_API_URL: 'http://127.0.0.1:4001', LITELLM_API_KEY: 'sk-canary' });
  const with_ = (litellmModels: UpstreamPorts['litellmModels']) =>
    checkLitellm(settings, { ...GOOD_UPSTREAMS, litellmModels });
  const refused = await with_(() => Promise.resolve({ status: 401 }));
  assert.match(refused[0]?.message ?? '', /refuses the key/);
  const other = await with_(() => Promise.resolve({ status: 404 }));
  assert.deepEqual(statuses(other), ['fail']);
  const away = await with_(() => Promise.reject(new ObeliskError('upstream_unreachable', 'nobody answers')));
  assert.deepEqual(statuses(away), ['fail']);
  const late = await with_(() => Promise.resolve({ status: 200, dateMs: Date.UTC(2026, 10, 1, 1) }));
  assert.match(late[1]?.message ?? '', /60 minutes apart/);
  assert.doesNotMatch(JSON.stringify([refused, other, away, late]), /canary/);
});

function serve(answers: Readonly<Record<string, unknown>>): Server {
  return createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  }).listen(0, '127.0.0.1');
}

function urlOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}

test('doctor looks at the real machine and at upstreams over real sockets', async () => {
  const ollama = serve({
    '/api/version': { version: '0.32.1' },
    '/api/tags': { models: [{ name: 'llama3:latest', capabilities: ['completion'] }] },
  });
  const litellm = serve({ '/v1/models': { data: [] } });
  await Promise.all([once(ollama, 'listening'), once(litellm, 'listening')]);
  const vault = path.join(folder, 'vault');
  mkdirSync(vault);
  writeFileSync(path.join(vault, 'Note.md'), '# Note\n');
  const config = path.join(folder, 'obelisk.yaml');
  const port = new URL(urlOf(litellm)).port;
  writeFileSync(
    config,
    `vaults: [{path: vault}, {name: gone, path: absent}]\nserver: {port: ${port}}\nproviders: {ollama: {url: "${urlOf(ollama)}"}, litellm: {api_base: "${urlOf(litellm)}/v1"}}\nrouter_settings: {redis_host: x}\n`,
  );
  const { code, stdout } = await runCli([
    'doctor',
    '--config',
    config,
    '--data-dir',
    path.join(folder, 'data'),
  ]);
  for (const server of [ollama, litellm]) {
    server.closeAllConnections();
    server.close();
  }
  assert.equal(code, 1);
  assert.match(stdout, /^ok {3}Node: v/m);
  assert.match(stdout, /^ok {3}Ollama: version 0\.32\.1/m);
  assert.match(stdout, /^warn Ollama models: no embedding model/m);
  assert.match(stdout, /^ok {3}LiteLLM proxy: .* accepts the key/m);
  assert.match(stdout, /^ok {3}vault: vault: 1 notes/m);
  assert.match(stdout, /^FAIL vault: gone: .* does not exist/m);
  assert.match(stdout, new RegExp(`^FAIL port: another program listens on 127\\.0\\.0\\.1:${port}`, 'm'));
  assert.match(stdout, /^warn configuration: no effect yet: router_settings\.redis_host \(line 4\)/m);
});

test('doctor says what is wrong with the configuration and fails', async () => {
  writeFileSync(path.join(folder, 'wrong.yaml'), 'sever: {}\n');
  const { code, stdout } = await runCli(['doctor', '--json', '-c', path.join(folder, 'wrong.yaml')]);
  assert.equal(code, 1);
  const report: unknown = JSON.parse(stdout);
  assert.ok(typeof report === 'object' && report !== null && 'ok' in report);
  assert.equal(report.ok, false);
  assert.match(stdout, /unknown key sever/);
});
