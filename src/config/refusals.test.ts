import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from './load-config.ts';
import { createConfigFolder } from '../../test/config-folder.ts';

const { folder, load, refusal } = createConfigFolder();

const UNSET = 'providers:\n  litellm:\n    api_key: ${LITELLM_API_KEY}\n';

test('an unset variable is named with its line', () => {
  assert.equal(
    refusal(UNSET),
    'FILE:3:5: the environment variable LITELLM_API_KEY is not set; set it, or write ${LITELLM_API_KEY:-default}',
  );
});

test('a wrong variable is named', () => {
  assert.match(refusal(undefined, { environment: { OBELISK_PORT: '70000' } }), /OBELISK_PORT must be/);
  assert.match(
    refusal(undefined, { environment: { MODEL_PROVIDER: 'openai' } }),
    /MODEL_PROVIDER must be one of/,
  );
  const secretive = refusal(undefined, { environment: { OLLAMA_URL: 'http://me:hunter22@host' } });
  assert.match(secretive, /OLLAMA_URL is no address/);
  assert.doesNotMatch(secretive, /hunter22/);
});

test('an unknown key is refused with line, column and the nearest known key', () => {
  assert.equal(refusal('server:\n  prot: 1\n'), 'FILE:2:3: unknown key server.prot; did you mean "port"?');
  assert.match(refusal('sevrer: {}\n'), /FILE:1:1: unknown key sevrer; did you mean "server"\?/);
  assert.match(
    refusal('vaults:\n  - pathh: x\n'),
    /FILE:2:5: unknown key vaults\.0\.pathh; did you mean "path"\?/,
  );
  assert.match(refusal('vaults:\n  - name: x\n'), /FILE:2:5: vaults\.0\.path is missing/);
});

test('a second document is refused: nothing of the file is dropped', () => {
  assert.equal(
    refusal('log: {level: warn}\n---\nserver: {port: 4100}\n'),
    'FILE:2:1: only one document is allowed; remove the --- line',
  );
  assert.equal(load('---\nlog: {level: warn}\n...\n').settings.log.level, 'warn');
});

test('every problem of a file is named at once, in its order', () => {
  const message = refusal('rag:\n  modell: x\nserver:\n  port: eighty\n  host: []\n');
  assert.deepEqual(
    message.split('\n').map((line) => line.slice(0, 9)),
    ['FILE:2:3:', 'FILE:4:3:', 'FILE:5:3:'],
  );
});

test('hardware options that today’s Ollama does not have are refused with the reason', () => {
  for (const [option, reason] of [
    ['low_vram', /removed it in 0\.7\.0/],
    ['f16_kv', /OLLAMA_KV_CACHE_TYPE/],
    ['use_mlock', /keep_alive/],
    ['numa', /0\.3\.4/],
    ['gpu_memory_fraction', /never had it.*OLLAMA_GPU_OVERHEAD/],
    ['temperature', /sampling option/],
    ['model_overrides', /one level higher/],
  ] as const) {
    const message = refusal(`providers:\n  ollama:\n    hardware:\n      ${option}: 1\n`);
    assert.match(message, /^FILE:4:7: providers\.ollama\.hardware\./);
    assert.match(message, reason);
  }
  assert.match(
    refusal('providers: {ollama: {model_overrides: {llama3: {low_vram: true}}}}'),
    /model_overrides\.llama3\.low_vram cannot be used/,
  );
});

test('a slip in a key that matters is refused even where any key may stand', () => {
  assert.match(refusal('general_settings:\n  master_kye: sk-1\n'), /did you mean "master_key"/);
  const entry = (key: string): string =>
    `model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/a\n      ${key}: http://x\n`;
  assert.match(refusal(entry('api_bsae')), /FILE:5:7: .*did you mean "api_base"/);
  assert.match(refusal(entry('base_url')), /did you mean "api_base"/);
});

test('listening beyond loopback needs a master key', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'notes.example', '127.evil.example']) {
    assert.throws(() => load(undefined, { flags: { host } }), { code: 'unsafe_bind' });
  }
  for (const host of ['localhost', '::1', '127.0.0.9']) {
    assert.equal(load(undefined, { flags: { host } }).settings.server.host, host);
  }
  const environment = { OBELISK_MASTER_KEY: 'sk-long-enough' };
  assert.equal(load(undefined, { flags: { host: '0.0.0.0' }, environment }).settings.server.host, '0.0.0.0');
});

test('duplicate keys, bombs and bad syntax are refused with their line and without quoting values', () => {
  assert.match(refusal('log: {level: info}\nlog: {level: warn}\n'), /FILE:2:1: the key "log" appears twice/);
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (let level = 0; level < 8; level += 1) {
    const [from, to] = ['abcdefghi'[level], 'abcdefghi'[level + 1]];
    bomb.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(',')}]`);
  }
  assert.match(refusal(bomb.join('\n')), /FILE:\d+:\d+: more than 50000 values/);
  assert.match(refusal('['.repeat(20_000)), /FILE:1:\d+: /);
  assert.match(refusal('log: &a {x: *a}\n'), /FILE:1:\d+: values are nested deeper than 32/);
  const broken = refusal('general_settings:\n  master_key: "sk-canary" sk-canary\n');
  assert.match(broken, /^FILE:2:\d+: /);
  assert.doesNotMatch(broken, /canary/);
  assert.doesNotMatch(refusal('general_settings: {master_key:sk-canary}\nx: 1'), /canary/);
});

test('a named file that is missing, a folder or not UTF-8 says so', () => {
  const named = (file: string): void => {
    loadConfig({
      file,
      flags: {},
      environment: {},
      cwd: folder,
      platform: process.platform,
      homeDir: folder,
    });
  };
  assert.throws(() => named('absent.yaml'), /absent\.yaml does not exist/);
  assert.throws(() => named('.'), /is a folder/);
  writeFileSync(path.join(folder, 'latin1.yaml'), Buffer.from('log:\n  level: caf\xe9\n', 'latin1'));
  assert.throws(() => named('latin1.yaml'), /latin1\.yaml:2:1: this line is not UTF-8/);
});

test('a value without meaning is refused: an empty one, a tag, a host with a port', () => {
  assert.equal(
    refusal('general_settings:\n  master_key:\n'),
    'FILE:2:3: general_settings.master_key is empty; write a value or remove the line',
  );
  assert.match(refusal('general_settings:\n  master_key: !secret sk-canary\n'), /^FILE:2:15: a tag/);
  for (const host of ['http://x', '127.0.0.1:4000', 'a b', 'x/y', '']) {
    assert.match(refusal(`server: {host: "${host}"}`), /server\.host must be a host name/);
    assert.match(refusal(undefined, { flags: { host } }), /--host must be a host name/);
  }
});

test('a missing space after a colon is told, and the secret behind it is not', () => {
  assert.equal(
    refusal('general_settings: {master_key:sk-canary-1234}\n'),
    'FILE:1:20: after the colon of "master_key" a space is missing',
  );
  assert.match(
    refusal('litellm_settings: {drop_params: true, callbacks_key:sk-canary}'),
    /^FILE:1:39: after/,
  );
  const quoted = load('router_settings: {"a:sk-canary": 1, b: 2}\n');
  assert.deepEqual(
    quoted.noEffect.map(({ key }) => key),
    ['router_settings.a', 'router_settings.b'],
  );
  const overrides = 'providers: {ollama: {model_overrides: {"llama3:8b": {num_ctx: 4096}}}}\n';
  assert.deepEqual(Object.keys(load(overrides).settings.providers.ollama.modelOverrides), ['llama3:8b']);
});

test('a master key that no header can carry is refused, without being shown', () => {
  for (const key of ['sk canary 12345', 'sk-canary-ü', 'sk\u00a0canary']) {
    for (const said of [
      refusal(`general_settings:\n  master_key: "${key}"\n`),
      refusal(undefined, { environment: { OBELISK_MASTER_KEY: key } }),
    ]) {
      assert.match(said, /(master_key|OBELISK_MASTER_KEY) can hold only letters/);
      assert.doesNotMatch(said, /canary/);
    }
  }
});

test('a key in the wrong place is told its right one, and a bare variable within braces its quotes', () => {
  assert.equal(refusal('port: 4001\n'), 'FILE:1:1: unknown key port; did you mean "server.port"?');
  assert.equal(
    refusal('providers:\n  default_model: llama3\n'),
    'FILE:2:3: unknown key providers.default_model; did you mean "providers.ollama.default_model"?',
  );
  assert.equal(
    refusal('general_settings: {master_key: ${KEY}}\n'),
    'FILE:1:33: within braces a variable must be quoted: "${NAME}"',
  );
});
