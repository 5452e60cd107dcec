import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createConfigFolder } from '../../test/config-folder.ts';

const { folder, load, refusal } = createConfigFolder();

const SEED = `
providers:
  default: smart  # smart, ollama, litellm

  ollama:
    url: http://localhost:11434
    default_model: llama3
    hardware:
      num_gpu: -1  # Use all available GPUs
      num_thread: 8

  litellm:
    api_base: http://litellm:4000
    api_key: \${LITELLM_API_KEY}
    retry_config:
      num_retries: 3
      retry_after: 5
    router_settings:
      routing_strategy: usage-based-routing-v2

  fallback_chain:
    - ollama
    - litellm
    - openai
`;

test("the design document's configuration loads", () => {
  const { settings, noEffect, notices } = load(SEED, { environment: { LITELLM_API_KEY: 'sk-design' } });
  assert.equal(settings.providers.mode, 'smart');
  assert.equal(settings.providers.ollama.url, 'http://localhost:11434');
  assert.equal(settings.providers.ollama.defaultModel, 'llama3');
  assert.deepEqual(settings.providers.ollama.hardware, { num_gpu: -1, num_thread: 8 });
  assert.equal(settings.providers.litellm?.apiBase, 'http://litellm:4000');
  assert.equal(settings.providers.litellm?.apiKey?.reveal(), 'sk-design');
  assert.deepEqual(
    noEffect.map(({ key, line }) => [key, line]),
    [
      ['providers.litellm.retry_config.num_retries', 16],
      ['providers.litellm.retry_config.retry_after', 17],
      ['providers.litellm.router_settings.routing_strategy', 19],
      ['providers.fallback_chain', 21],
    ],
  );
  assert.deepEqual(notices, [
    'line 9: num_gpu: -1 counts layers, not GPUs, and lets Ollama decide how many fit',
  ]);
});

test('without a file, flags or variables everything is a default, and the documentation is the vault', () => {
  const { settings, origins, noEffect, notices, file } = load(undefined);
  assert.equal(settings.server.host, '127.0.0.1');
  assert.equal(settings.server.port, 4000);
  assert.equal(settings.providers.mode, 'operation');
  assert.equal(settings.providers.ollama.url, 'http://127.0.0.1:11434');
  assert.equal(settings.providers.ollama.pollMs, 5000);
  assert.equal(settings.masterKey, undefined);
  assert.deepEqual(settings.vaults, [{ name: 'obelisk-docs', path: path.resolve('docs') }]);
  assert.ok([...origins.values()].every((origin) => origin.kind === 'default'));
  assert.deepEqual([noEffect, notices, file], [[], [], undefined]);
});

test('flags win over the file, the file over the environment, the environment over defaults', () => {
  const environment = { OBELISK_PORT: '5001', OBELISK_HOST: '127.0.0.2' };
  const text = 'server:\n  port: 5002\n';
  assert.equal(load(undefined, { environment }).settings.server.port, 5001);
  const fromFile = load(text, { environment });
  assert.equal(fromFile.settings.server.port, 5002);
  assert.deepEqual(fromFile.origins.get('server.port'), { kind: 'file', file: fromFile.file, line: 2 });
  assert.deepEqual(fromFile.origins.get('server.host'), { kind: 'environment', name: 'OBELISK_HOST' });
  const fromFlag = load(text, { environment, flags: { port: 5003 } });
  assert.equal(fromFlag.settings.server.port, 5003);
  assert.deepEqual(fromFlag.origins.get('server.port'), { kind: 'flag', name: '--port' });
});

test('obelisk.yaml where the program starts is read without being named', () => {
  writeFileSync(path.join(folder, 'obelisk.yaml'), 'server: {port: 4123}\n');
  const config = load(undefined);
  rmSync(path.join(folder, 'obelisk.yaml'));
  assert.equal(config.settings.server.port, 4123);
  assert.deepEqual(config.settings.vaults, [], 'a file without vaults serves none');
});

test('the environment names of the design document are understood', () => {
  const { settings } = load(undefined, {
    environment: {
      MODEL_PROVIDER: 'litellm',
      OLLAMA_URL: 'http://ollama:11434',
      OLLAMA_HOST: '0.0.0.0',
      LITELLM_API_URL: 'http://litellm:4000/',
      LITELLM_API_KEY: 'sk-1',
    },
  });
  assert.equal(settings.providers.mode, 'litellm');
  assert.equal(settings.providers.ollama.url, 'http://ollama:11434');
  assert.equal(settings.providers.litellm?.apiBase, 'http://litellm:4000');
  assert.equal(settings.providers.litellm?.apiKey?.reveal(), 'sk-1');
});

test('a small LiteLLM configuration runs', () => {
  const { settings, noEffect } = load(
    `
model_list:
  - model_name: fast
    litellm_params:
      model: openai/gpt-4o-mini
      api_base: http://127.0.0.1:9000/v1/
      api_key: os.environ/FAST_KEY
      temperature: \${TEMPERATURE:-0.5}
      num_ctx: 8192
      rpm: 60
      aws_secret_access_key: nope
      input_cost_per_token: 0.1
    model_info:
      mode: chat
  - model_name: mock
    litellm_params: {model: openai/x, mock_response: hello}
litellm_settings:
  drop_params: true
  cache_params:
    password: os.environ/NOT_SET
general_settings:
  master_key: sk-1234567890
  database_url: os.environ/NOT_SET_EITHER
`,
    { environment: { FAST_KEY: '0123' } },
  );
  const [fast, mock] = settings.modelList;
  assert.equal(fast?.modelName, 'fast');
  assert.equal(fast?.apiBase, 'http://127.0.0.1:9000/v1');
  assert.equal(fast?.apiKey?.reveal(), '0123');
  assert.deepEqual(fast?.params, { temperature: 0.5, num_ctx: 8192 });
  assert.deepEqual(fast?.modelInfo, { mode: 'chat' });
  assert.deepEqual(fast?.routing, { rpm: 60 });
  assert.equal(fast?.line, 3);
  assert.equal(mock?.mockResponse, 'hello');
  assert.equal(settings.masterKey?.reveal(), 'sk-1234567890');
  assert.deepEqual(
    noEffect.map(({ key, line }) => `${line} ${key}`),
    [
      '11 model_list.0.litellm_params.aws_secret_access_key',
      '12 model_list.0.litellm_params.input_cost_per_token',
      '18 litellm_settings.drop_params',
      '19 litellm_settings.cache_params',
      '23 general_settings.database_url',
    ],
  );
});

test('environment_variables of the file are looked up first', () => {
  const { settings } = load(
    'environment_variables: {KEY: "${OUTER}-inner"}\ngeneral_settings: {master_key: os.environ/KEY}\n',
    { environment: { OUTER: 'sk-outer', KEY: 'real' } },
  );
  assert.equal(settings.masterKey?.reveal(), 'sk-outer-inner');
});

test('a key for OpenAI comes from the environment only where the entry goes to OpenAI', () => {
  const text = `model_list:
  - {model_name: a, litellm_params: {model: openai/gpt-4o}}
  - {model_name: b, litellm_params: {model: openai/gpt-4o, api_base: "http://elsewhere"}}
`;
  const { settings } = load(text, { environment: { OPENAI_API_KEY: 'sk-openai' } });
  assert.deepEqual(
    settings.modelList.map((entry) => entry.apiKey?.reveal()),
    ['sk-openai', undefined],
  );
});

test('a weak master key is told, an empty one is refused', () => {
  assert.match(load('general_settings: {master_key: sk-1}').notices.join(), /can be guessed/);
  assert.match(refusal('general_settings: {master_key: ""}'), /FILE:1:20: .*is empty/);
});

test('vault paths start at the file, flags where the program starts, and ~ at home', () => {
  const { settings } = load('vaults: [{path: sub/Notes}, {name: Zettel, path: "~/z"}]');
  assert.deepEqual(settings.vaults, [
    { name: 'Notes', path: path.join(folder, 'sub', 'Notes') },
    { name: 'Zettel', path: path.join(homedir(), 'z') },
  ]);
  const flagged = load('vaults: [{path: x}]', { flags: { vaults: ['./Daily (old)'] } });
  assert.deepEqual(flagged.settings.vaults, [{ name: 'Daily old', path: path.join(folder, 'Daily (old)') }]);
});

test('vault names are NFC, and two of one name are refused', () => {
  const { settings } = load('vaults: [{name: "Cafe\u0301", path: x}]');
  assert.equal(settings.vaults[0]?.name, 'Caf\u00e9');
  assert.match(
    refusal('vaults:\n  - {name: "Caf\u00e9", path: x}\n  - {name: "cafe\u0301", path: y}\n'),
    /FILE:3:5: two vaults are named/,
  );
  assert.match(refusal('vaults: [{name: "a:b", path: x}]'), /FILE:1:11: vaults\.0\.name must start/);
  assert.match(refusal(undefined, { flags: { vaults: ['a/n', 'b/n'] } }), /two vaults are named "n"/);
});

test('merge keys of YAML 1.1 work, as in LiteLLM', () => {
  const { settings } = load(`
model_list:
  - model_name: a
    litellm_params: &base {model: openai/a, temperature: 0.1}
  - model_name: b
    litellm_params:
      <<: *base
      model: openai/b
`);
  assert.deepEqual(
    settings.modelList.map(({ model, params }) => [model, params]),
    [
      ['openai/a', { temperature: 0.1 }],
      ['openai/b', { temperature: 0.1 }],
    ],
  );
});

test('a secret prints as [secret]', () => {
  const config = load('general_settings: {master_key: sk-canary-canary}');
  assert.doesNotMatch(JSON.stringify(config), /canary/);
});

test('a section with nothing below its name is no section', () => {
  const { settings } = load('server:\nproviders:\n  ollama:\nvaults:\nmodel_list:\n');
  assert.equal(settings.server.port, 4000);
  assert.deepEqual([settings.vaults, settings.modelList], [[], []]);
});

test('an IPv6 address is taken with or without brackets', () => {
  for (const host of ['::1', '[::1]']) {
    assert.equal(load(`server: {host: "${host}"}`).settings.server.host, '::1');
  }
});

test('times are seconds with decimals, in digits or from a variable, and kept in milliseconds', () => {
  const { settings } = load('server: {timeouts: {headers: 0.25, stalled: "${STALLED}"}, drain: 0}\n', {
    environment: { STALLED: '1.5' },
  });
  assert.deepEqual(settings.server.timeouts, {
    headersMs: 250,
    bodyMs: 60_000,
    keepAliveMs: 65_000,
    stalledMs: 1_500,
  });
  assert.equal(settings.server.drainMs, 0);
  assert.match(
    refusal('server: {timeouts: {headers: 0}}\n'),
    /FILE:1:\d+: server.timeouts.headers must be at least 0.01/,
  );
  assert.match(refusal('server: {drain: -1}\n'), /server.drain must be at least 0/);
});
