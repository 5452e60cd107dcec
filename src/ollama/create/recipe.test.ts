import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseModelfile } from './modelfile.ts';
import { requireParameters } from './parameters.ts';
import { readRecipe } from './recipe.ts';

const recipeOf = (text: string) => readRecipe(parseModelfile(text));

test('of words that stand twice the last counts; FROM, LICENSE, MESSAGE and stop add up', () => {
  const recipe = recipeOf(
    [
      'FROM a',
      'FROM b',
      'SYSTEM first',
      'SYSTEM second',
      'LICENSE MIT',
      'LICENSE BSD',
      'MESSAGE user hi',
      'MESSAGE assistant ho',
      'PARAMETER stop x',
      'PARAMETER stop y',
      'PARAMETER seed 1',
      'PARAMETER seed 2',
    ].join('\n'),
  );
  assert.deepEqual(recipe.from, ['a', 'b']);
  assert.deepEqual(recipe.rest, {
    system: 'second',
    license: ['MIT', 'BSD'],
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'ho' },
    ],
    parameters: { stop: ['x', 'y'], seed: 2 },
  });
  assert.deepEqual(recipe.warnings, []);
});

test('parameters have the type that their option wants', () => {
  const lines = ['num_ctx 4096', 'temperature 0.7', 'use_mmap F', 'stop 1', 'num_gpu -1', 'top_p 1e-1'];
  const recipe = recipeOf(`FROM a\n${lines.map((line) => `PARAMETER ${line}`).join('\n')}`);
  assert.deepEqual(recipe.rest.parameters, {
    num_ctx: 4096,
    temperature: 0.7,
    use_mmap: false,
    stop: ['1'],
    num_gpu: -1,
    top_p: 0.1,
  });
});

for (const [line, message] of [
  ['num_ctx 4k', /line 2 .*num_ctx cannot be "4k"/],
  ['num_ctx 4096.5', /num_ctx cannot be/],
  ['temperature warm', /temperature cannot be/],
  ['temperature inf', /temperature cannot be/],
  ['use_mmap yes', /use_mmap cannot be "yes"/],
  ['numctx 1', /no parameter "numctx"; those that are: .*num_ctx/],
  ['constructor 1', /no parameter "constructor"/],
] as const) {
  test(`PARAMETER ${line} is refused`, () =>
    assert.throws(() => recipeOf(`FROM a\nPARAMETER ${line}`), { code: 'invalid_request', message }));
}

test('parameters that Ollama no longer has are left out, saying what to use instead', () => {
  const recipe = recipeOf('FROM a\nPARAMETER f16_kv true\nPARAMETER mirostat 1\nPARAMETER seed 1');
  assert.deepEqual(recipe.rest.parameters, { seed: 1 });
  assert.match(recipe.warnings[0] ?? '', /line 2 .*f16_kv .*OLLAMA_KV_CACHE_TYPE/);
  assert.match(recipe.warnings[1] ?? '', /line 3 .*mirostat/);
});

test('parameters that are given as values are looked at before Ollama takes anything', () => {
  requireParameters({ num_ctx: 4096, stop: ['a'], temperature: 1, use_mmap: true });
  assert.throws(() => requireParameters({ num_ctx: '4096' }), {
    code: 'invalid_request',
    message: /integer/,
  });
  assert.throws(() => requireParameters({ low_vram: true }), {
    message: /low_vram cannot be set: .*num_gpu/,
  });
  assert.throws(() => requireParameters({ toString: 1 }), { message: /no parameter/ });
});

test('a version that is required is one', () => {
  assert.equal(recipeOf('FROM a\nREQUIRES v0.14.0-rc1').rest.requires, '0.14.0-rc1');
  assert.equal(recipeOf('FROM a\nREQUIRES 0.14').rest.requires, '0.14');
  assert.throws(() => recipeOf('FROM a\nREQUIRES 0.14.x'), { message: /line 2 .*REQUIRES takes a version/ });
  assert.throws(() => recipeOf('FROM a\nREQUIRES 01.2.3'), { message: /line 2/ });
});

test('what counts less than it seems is said', () => {
  const recipe = recipeOf('FROM a\nADAPTER b\nADAPTER c\nDRAFT d');
  assert.deepEqual(recipe.adapters, ['c']);
  assert.deepEqual(recipe.drafts, ['d']);
  assert.equal(recipe.warnings.length, 2);
});
