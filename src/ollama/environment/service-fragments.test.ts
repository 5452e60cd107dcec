import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { FRAGMENT_KINDS, fragmentOf, parseWantedSetting } from './service-fragments.ts';

test('a setting that would do nothing is refused, with what to use instead', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['OLLAMA_NUM_GPU=1', /does nothing for the server.*num_gpu of a profile/],
    ['OLLAMA_MULTIUSER_CACHE=1', /does nothing/],
    ['LLAMA_ARG_CTX_SIZE=4096', /num_ctx of the profile/],
    ['OLLAMA_AUTH=1', /no protection/],
    ['OLLAMA_GPU_OVERHEAD=1GB', /bytes in digits/],
    ['OLLAMA_PARALLEL=2', /no release of Ollama reads it; OLLAMA_NUM_PARALLEL may be meant/],
    ['OLLAMA_MODELS=a\nEnvironment=X', /one line/],
    ['PATH=/tmp', /no release/],
  ];
  for (const [text, expected] of cases) assert.throws(() => parseWantedSetting(text), expected, text);
  assert.deepEqual(parseWantedSetting('OLLAMA_MODELS=/a=b'), { name: 'OLLAMA_MODELS', value: '/a=b' });
});

test('each kind of service gets the value that was wanted, whatever letters it has', () => {
  const settings = [{ name: 'OLLAMA_MODELS', value: `/a b"c'$d%e\\f<g>&` }];
  const texts = Object.fromEntries(FRAGMENT_KINDS.map((kind) => [kind, fragmentOf(kind, settings).text]));
  assert.equal(texts['systemd'], `[Service]\nEnvironment="OLLAMA_MODELS=/a b\\"c'$d%%e\\\\f<g>&"`);
  const compose: unknown = parse(texts['compose'] ?? '');
  assert.deepEqual(compose, {
    services: { ollama: { environment: { OLLAMA_MODELS: `/a b"c'$$d%e\\f<g>&` } } },
  });
  assert.match(texts['launchd'] ?? '', /<string>\/a b"c'\$d%e\\f&lt;g&gt;&amp;<\/string>/);
  assert.ok(texts['shell']?.startsWith(`OLLAMA_MODELS='/a b"c'\\''$d%e\\f<g>&' ollama serve`));
  assert.ok(texts['windows']?.startsWith('setx OLLAMA_MODELS "/a b\\"c'));
});
