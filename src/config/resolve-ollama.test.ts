import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConfigFolder } from '../../test/config-folder.ts';
import { describeSettings } from './describe-settings.ts';

const { load, refusal } = createConfigFolder();

const FLEET = `
general_settings:
  master_key: sk-long-enough
  inference_keys: [sk-canary-app, "\${SECOND}"]
providers:
  ollama:
    hosts:
      - name: studio
        url: https://studio.example/ollama/
        api_key: sk-canary-studio
        weight: 2.5
        tags: [gpu, upstairs]
        parallel: 4
        memory: 24GB
        hardware: {num_gpu: 2}
        model_overrides: {llama3: {num_ctx: 4096}}
      - url: 10.0.0.7
    parallel: 2
    memory: 16 GiB
    placement: least-busy
    queue_limit: 0
    request_options: [num_ctx]
    allow_cloud: true
    registries: [registry.ollama.ai, "10.0.0.5:5000"]
    insecure_registries: ["10.0.0.5:5000"]
    model_hosts: {"llama3:8b": [gpu], qwen: ["10.0.0.7:11434"]}
    preload:
      - {model: llama3, hosts: [studio], at: 07:30, days: [mon, sun, mon], keep_alive: "600"}
      - {model: qwen}
`;

const given = { environment: { SECOND: 'sk-second-key', OLLAMA_HOST: 'http://unused:1' } };

test('several hosts are read with what is their own, and the environment’s address is not one of them', () => {
  const { settings, notices } = load(FLEET, given);
  const { ollama } = settings.providers;
  assert.equal(ollama.url, 'https://studio.example/ollama');
  const [studio, second] = ollama.hosts;
  assert.equal(studio?.apiKey?.reveal(), 'sk-canary-studio');
  assert.deepEqual(
    { ...studio, apiKey: undefined },
    {
      name: 'studio',
      url: 'https://studio.example/ollama',
      apiKey: undefined,
      weight: 2.5,
      tags: ['gpu', 'upstairs'],
      parallel: 4,
      memoryBytes: 24e9,
      hardware: { num_gpu: 2 },
      modelOverrides: { llama3: { num_ctx: 4096 } },
    },
  );
  assert.deepEqual(second, {
    name: '10.0.0.7:11434',
    url: 'http://10.0.0.7:11434',
    weight: 1,
    tags: [],
    parallel: 2,
    memoryBytes: 16 * 2 ** 30,
    hardware: {},
    modelOverrides: {},
  });
  assert.match(notices.join(), /line 15: num_gpu: 2 places 2 layers/);
});

test('placement, queue, registries, cloud and preloads are read', () => {
  const { ollama } = load(FLEET, given).settings.providers;
  assert.deepEqual(
    [ollama.placement, ollama.queueLimit, ollama.requestOptions, ollama.allowCloud],
    ['least-busy', 0, ['num_ctx'], true],
  );
  assert.deepEqual(ollama.registries, ['registry.ollama.ai', '10.0.0.5:5000']);
  assert.deepEqual(ollama.insecureRegistries, ['10.0.0.5:5000']);
  assert.deepEqual(ollama.modelHosts, { 'llama3:8b': ['gpu'], qwen: ['10.0.0.7:11434'] });
  assert.deepEqual(ollama.preload, [
    { model: 'llama3', hosts: ['studio'], at: '07:30', days: [0, 1], keepAlive: 600 },
    { model: 'qwen' },
  ]);
});

test('one host is the one of url, with the parallelism and memory of the section', () => {
  const { settings, origins } = load('providers: {ollama: {url: "box:1", parallel: 3, memory: 8GB}}');
  assert.deepEqual(settings.providers.ollama.hosts, [
    {
      name: 'box:1',
      url: 'http://box:1',
      weight: 1,
      tags: [],
      parallel: 3,
      memoryBytes: 8e9,
      hardware: {},
      modelOverrides: {},
    },
  ]);
  assert.equal(origins.get('providers.ollama.parallel')?.kind, 'file');
  const { ollama } = load(undefined, { environment: { OLLAMA_HOST: 'box:2' } }).settings.providers;
  assert.deepEqual(
    ollama.hosts.map(({ name, url, parallel }) => [name, url, parallel]),
    [['box:2', 'http://box:2', 1]],
  );
  assert.equal(ollama.placement, 'warm-first');
});

test('how long models stay loaded stands among the hardware options, in seconds however it is written', () => {
  const hardware = (keepAlive: string): unknown =>
    load(`providers: {ollama: {url: "box:1", hardware: {num_gpu: 0, keep_alive: ${keepAlive}}}}`).settings
      .providers.ollama.hardware;
  assert.deepEqual(hardware('24h'), { num_gpu: 0, keep_alive: 86_400 });
  assert.deepEqual(hardware('"600"'), { num_gpu: 0, keep_alive: 600 });
  assert.deepEqual(hardware('-1'), { num_gpu: 0, keep_alive: -1 });
  const wrong =
    'providers:\n  ollama:\n    hardware: {keep_alive: soon}\n    request_options: [keep_alive]\n';
  assert.equal(
    refusal(wrong),
    'FILE:3:16: providers.ollama.hardware.keep_alive must be seconds (300, -1 for ever) or a duration ("5m", "1h30m")',
  );
});

test('hosts that contradict each other are refused with their line', () => {
  const hosts = (...lines: readonly string[]): string =>
    `providers:\n  ollama:\n    hosts:\n${lines.map((line) => `      - ${line}\n`).join('')}`;
  assert.equal(
    refusal(hosts('{name: a, url: x}', '{name: A, url: y}')),
    'FILE:5:9: providers.ollama.hosts.1 is the second host named "A"; give each its own name',
  );
  assert.match(
    refusal(hosts('{name: a, url: x}', '{url: "http://x:11434"}')),
    /FILE:5:9: .* has the address of "a"/,
  );
  assert.match(
    refusal(`${hosts('{url: x}')}    url: y\n`),
    /FILE:5:5: providers\.ollama\.url cannot stand beside hosts/,
  );
  assert.match(refusal(hosts('{name: a}')), /hosts\.0\.url is missing/);
  assert.match(refusal(hosts('{url: x, urll: y}')), /hosts\.0\.urll; did you mean "url"/);
  assert.match(refusal(hosts('{url: x, name: a/b}')), /hosts\.0\.name must be a short name/);
  assert.match(refusal(hosts('{url: x, memory: much}')), /hosts\.0\.memory must be a size/);
  assert.match(refusal(hosts('{url: x, hardware: {low_vram: true}}')), /low_vram cannot be used/);
  const secretive = refusal(hosts('{url: "http://me:hunter22@host"}'));
  assert.match(secretive, /FILE:4:10: providers\.ollama\.hosts\.0\.url is no address/);
  assert.doesNotMatch(secretive, /hunter22/);
});

test('a host, registry, option or day that is not there is refused with the nearest one that is', () => {
  const of = (text: string): string =>
    refusal(`providers:\n  ollama:\n    hosts: [{name: studio, url: x, tags: [gpu]}]\n    ${text}\n`);
  assert.match(
    of('model_hosts: {llama3: [stduio]}'),
    /FILE:4:\d+: .*names no host and no tag; did you mean "studio"/,
  );
  assert.match(of('preload: [{model: a, hosts: [cpu]}]'), /preload\.0\.hosts\.0 names no host/);
  assert.match(of('preload: [{model: a, at: 24:00}]'), /preload\.0\.at must be a time of day/);
  assert.match(of('preload: [{model: a, days: [monday]}]'), /days\.0 must be one of sun, mon/);
  assert.match(of('preload: [{model: a, keep_alive: soon}]'), /keep_alive/);
  assert.match(of('insecure_registries: ["box:5000"]'), /must stand in registries as well/);
  assert.match(of('registries: ["https://x"]'), /without scheme or path/);
  assert.match(of('request_options: [low_vram]'), /removed it in 0\.7\.0/);
  assert.match(of('request_options: [num_ctxx]'), /must be one of num_ctx/);
  assert.match(of('placement: random'), /must be one of warm-first, least-busy, round-robin/);
});

test('inference keys need a master key of another text', () => {
  assert.match(
    refusal('general_settings:\n  inference_keys: [sk-canary]\n'),
    /FILE:2:3: general_settings\.inference_keys need a master_key/,
  );
  const same = refusal('general_settings: {master_key: sk-canary-1, inference_keys: [sk-canary-1]}');
  assert.match(same, /must differ/);
  assert.doesNotMatch(same, /canary/);
  assert.match(refusal('general_settings: {inference_kyes: [a]}'), /did you mean "inference_keys"/);
  const keys = load(FLEET, given).settings.inferenceKeys.map((key) => key.reveal());
  assert.deepEqual(keys, ['sk-canary-app', 'sk-second-key']);
});

test('no key of a host or client is among the values that are shown', () => {
  const { settings, origins } = load(FLEET, given);
  const rows = describeSettings(settings, origins);
  const shown = JSON.stringify(rows);
  assert.doesNotMatch(shown, /canary|second-key/);
  assert.match(shown, /"name":"studio".*"api_key":"\[secret\]"/);
  assert.equal(
    rows.some(({ key }) => key === 'providers.ollama.url'),
    false,
  );
});
