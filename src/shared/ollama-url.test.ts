import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ollamaUrl } from './ollama-url.ts';

const of = (OLLAMA_HOST: string): string => ollamaUrl({ environment: { OLLAMA_HOST } }).url;

test('what is configured comes before OLLAMA_URL, which comes before OLLAMA_HOST', () => {
  const environment = { OLLAMA_URL: 'http://b:2', OLLAMA_HOST: 'c:3' };
  assert.deepEqual(ollamaUrl({ configured: 'http://a:1/', environment }), {
    url: 'http://a:1',
    origin: 'configured',
  });
  assert.deepEqual(ollamaUrl({ environment }), { url: 'http://b:2', origin: 'OLLAMA_URL' });
  assert.deepEqual(ollamaUrl({ environment: { OLLAMA_HOST: 'c:3' } }), {
    url: 'http://c:3',
    origin: 'OLLAMA_HOST',
  });
  assert.deepEqual(ollamaUrl({ environment: { OLLAMA_URL: '' } }), {
    url: 'http://127.0.0.1:11434',
    origin: 'default',
  });
});

test('OLLAMA_HOST is read as Ollama reads it', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['127.0.0.1', 'http://127.0.0.1:11434'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:8080', 'http://127.0.0.1:8080'],
    ['http://0.0.0.0:8080/', 'http://127.0.0.1:8080'],
    [':11500', 'http://127.0.0.1:11500'],
    ['box.local', 'http://box.local:11434'],
    ['box.local:1', 'http://box.local:1'],
    ['http://box.local', 'http://box.local'],
    ['https://box.local', 'https://box.local'],
    ['https://box.local:8443/ollama/', 'https://box.local:8443/ollama'],
    ['::1', 'http://[::1]:11434'],
    ['[::1]:9', 'http://[::1]:9'],
    ['[::]', 'http://[::1]:11434'],
    ['::', 'http://[::1]:11434'],
    [' "127.0.0.1:5" ', 'http://127.0.0.1:5'],
  ];
  for (const [input, expected] of cases) assert.equal(of(input), expected, input);
});

test('what is no address is refused with the name of its source', () => {
  for (const bad of ['ftp://x', 'a b', 'http://u:p@host', 'host:notaport', 'host:70000']) {
    assert.throws(() => of(bad), /OLLAMA_HOST is .* no address/, bad);
  }
});
