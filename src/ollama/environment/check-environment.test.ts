import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEnvironment } from './check-environment.ts';
import type { EnvironmentLook } from './environment-finding.ts';
import {
  ENVIRONMENT_VARIABLES,
  findVariable,
  isRelevantVariable,
  nearestVariable,
} from './environment-variables.ts';
import { readValue } from './read-value.ts';
import { strayFindings } from './stray-variables.ts';

const check = (
  values: Readonly<Record<string, string>>,
  more: Partial<EnvironmentLook> = {},
): readonly string[] =>
  checkEnvironment({
    values: new Map(Object.entries(values)),
    platform: 'linux',
    version: '0.32.15',
    ...more,
  }).map(({ level, variable, message, remedy }) => `${level} ${variable} ${message} → ${remedy ?? ''}`);

test('every variable stands in the tables once, and what does nothing names what to use instead', () => {
  const names = ENVIRONMENT_VARIABLES.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length > 150);
  for (const variable of ENVIRONMENT_VARIABLES) {
    const isDead =
      variable.group === 'gone' || variable.group === 'never existed' || variable.overridden === true;
    if (isDead) assert.ok(variable.instead, variable.name);
    assert.equal(variable.value === 'choice', variable.choices !== undefined, variable.name);
    assert.match(variable.explains, /\.$/, variable.name);
    assert.ok(isRelevantVariable(variable.name), variable.name);
  }
});

test('a variable is found in the spellings that programs read, and no other', () => {
  assert.equal(findVariable('https_proxy')?.group, 'network');
  assert.equal(findVariable('HSA_OVERRIDE_GFX_VERSION_1')?.group, 'AMD (ROCm)');
  assert.equal(findVariable('LLAMA_ARG_SOMETHING_NEW')?.group, 'llama-server');
  assert.equal(findVariable('ollama_host'), undefined);
  assert.equal(nearestVariable('OLLAMA_KV_CACHE'), 'OLLAMA_KV_CACHE_TYPE');
  assert.ok(!isRelevantVariable('PATH') && !isRelevantVariable('AWS_SECRET_ACCESS_KEY'));
});

test('an environment in order has nothing to say', () => {
  assert.deepEqual(
    check(
      {
        OLLAMA_HOST: '127.0.0.1:11434',
        OLLAMA_KEEP_ALIVE: '-1',
        OLLAMA_NUM_PARALLEL: '4',
        OLLAMA_FLASH_ATTENTION: '1',
        OLLAMA_KV_CACHE_TYPE: 'q8_0',
        CUDA_VISIBLE_DEVICES: 'GPU-8f2c,GPU-1a2b',
        LLAMA_ARG_TENSOR_SPLIT: '3,1',
      },
      { parallel: 4 },
    ),
    [],
  );
});

test('what does nothing is told with what to use instead', () => {
  const found = check({
    OLLAMA_NUM_GPU: '1',
    OLLAMA_MULTIUSER_CACHE: '1',
    OLLAMA_AUTH: '1',
    OLLAMA_KV_CACHE: 'q8_0',
    LLAMA_ARG_CTX_SIZE: '8192',
    GGML_METAL_NO_RESIDENCY: '1',
  });
  assert.equal(found.length, 6);
  for (const [index, expected] of [
    /^warn GGML_METAL_NO_RESIDENCY does nothing on this system/,
    /^warn LLAMA_ARG_CTX_SIZE does nothing: given by Ollama on the command line, which wins/,
    /^warn OLLAMA_AUTH does nothing for the server: .*no protection/,
    /^warn OLLAMA_KV_CACHE is read by no release .* → OLLAMA_KV_CACHE_TYPE may be meant/,
    /^warn OLLAMA_MULTIUSER_CACHE does nothing in 0\.32\.15: 0\.30\.0 was the first without it/,
    /^warn OLLAMA_NUM_GPU does nothing: .* → use num_gpu of a profile/,
  ].entries()) {
    assert.match(found[index] ?? '', expected);
  }
});

test('what a release does not read yet, or still reads, depends on the release', () => {
  assert.deepEqual(check({ OLLAMA_MULTIUSER_CACHE: '1' }, { version: '0.24.0' }), []);
  assert.match(
    check({ LLAMA_ARG_FIT: 'on' }, { version: '0.24.0' })[0] ?? '',
    /does nothing in 0\.24\.0: it came with 0\.30\.0/,
  );
  assert.deepEqual(
    check({ LLAMA_ARG_FIT: 'on' }, { version: '0.0.0' }),
    [],
    'a server built from source may be new',
  );
  assert.match(
    check({ OLLAMA_NEW_ENGINE: '1' }, { version: '0.0.0' })[0] ?? '',
    /this server does not tell its own/,
  );
});

test('values that do not mean what they seem to mean are told', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['OLLAMA_SCHED_SPREAD', 'no', /counts as on/],
    ['OLLAMA_NUM_PARALLEL', 'auto', /default counts; write a whole number/],
    ['OLLAMA_GPU_OVERHEAD', '1GB', /write bytes in digits/],
    ['OLLAMA_KEEP_ALIVE', '5 minutes', /write it as 5m/],
    ['GGML_CUDA_ENABLE_UNIFIED_MEMORY', '0', /counts as on; take it out/],
    ['OLLAMA_KV_CACHE_TYPE', 'q6_K', /what is known is/],
    ['CUDA_VISIBLE_DEVICES', '', /no device at all/],
    ['HSA_OVERRIDE_GFX_VERSION', 'gfx1030', /not of the form x\.y\.z/],
  ];
  for (const [name, value, expected] of cases)
    assert.match(check({ [name]: value })[0] ?? '', expected, name);
});

test('Ollama’s own reading of a value is told', () => {
  const effective = (name: string, value: string): string => {
    const variable = findVariable(name);
    assert.ok(variable);
    return readValue(variable, value).effective;
  };
  assert.equal(effective('OLLAMA_FLASH_ATTENTION', ' "true" '), 'on', 'spaces and quotes are taken off');
  assert.equal(effective('OLLAMA_FLASH_ATTENTION', '0'), 'off');
  assert.equal(effective('OLLAMA_KEEP_ALIVE', '300'), '300 s');
  assert.equal(effective('OLLAMA_KEEP_ALIVE', '.5h'), '.5h', 'as Go writes half an hour too');
  assert.equal(effective('OLLAMA_MAX_QUEUE', '-1'), '512', 'no number that Go reads as unsigned');
  assert.equal(effective('OLLAMA_NUM_PARALLEL', ''), '1');
});

test('what lets others in, or prompts out, is told', () => {
  assert.match(check({ OLLAMA_HOST: '0.0.0.0' })[0] ?? '', /listens on every address, without keys/);
  assert.match(check({ OLLAMA_HOST: 'http://[::]:11434' })[0] ?? '', /every address/);
  assert.deepEqual(check({ OLLAMA_HOST: '0.0.0.0' }, { isInContainer: true }), []);
  assert.match(check({ OLLAMA_ORIGINS: 'https://a.example, *' })[0] ?? '', /every web page/);
  assert.match(check({ OLLAMA_DEBUG_LOG_REQUESTS: 'yes' }).join('\n'), /every prompt is written/);
  assert.match(check({ OLLAMA_DEBUG: '2' })[0] ?? '', /the log holds prompts/);
  assert.match(check({ LLAMA_ARG_RPC: 'gpu2:50052' })[0] ?? '', /unencrypted/);
});

test('what is wrong only together is told', () => {
  assert.match(check({ OLLAMA_KEEP_ALIVE: '0s' })[0] ?? '', /is 0: the model is loaded anew/);
  assert.deepEqual(check({ OLLAMA_KEEP_ALIVE: '0h5m' }), []);
  assert.match(
    check({ OLLAMA_KV_CACHE_TYPE: 'q8_0', OLLAMA_FLASH_ATTENTION: '0' })[0] ?? '',
    /needs flash attention/,
  );
  assert.match(
    check({ OLLAMA_KV_CACHE_TYPE: 'q4_0' }, { version: '0.24.0' })[0] ?? '',
    /only where flash attention is forced on/,
  );
  assert.deepEqual(check({ OLLAMA_KV_CACHE_TYPE: 'q4_0' }), []);
  assert.match(
    check({ OLLAMA_NUM_PARALLEL: '4' }, { parallel: 1 })[0] ?? '',
    /sends this host 1 at once.*set parallel: 4/s,
  );
  assert.match(
    check({ OLLAMA_NUM_PARALLEL: '4' }, { parallel: 1, findsOutParallel: true })[0] ?? '',
    /finds out.*set parallel: 4/s,
  );
  assert.match(check({ ROCR_VISIBLE_DEVICES: '1', HIP_VISIBLE_DEVICES: '1' })[0] ?? '', /anew from 0/);
  assert.match(check({ OLLAMA_CONTEXT_LENGTH: '8192' })[0] ?? '', /^note .*Obelisk names num_ctx/);
});

test('a variable of the shell that the server does not have is told, unless nobody knows what it has', () => {
  const seen = {
    source: 'process',
    explanation: '',
    values: new Map([['OLLAMA_KEEP_ALIVE', '5m']]),
  } as const;
  const own = { OLLAMA_KEEP_ALIVE: '1h', OLLAMA_NUM_PARALLEL: '2', OLLAMA_HOST: 'elsewhere', PATH: '/bin' };
  assert.deepEqual(
    strayFindings(own, seen).map(({ variable, message }) => `${variable} ${message}`),
    [
      'OLLAMA_KEEP_ALIVE is 1h in this shell, but that does not reach the server, which has 5m',
      'OLLAMA_NUM_PARALLEL is 2 in this shell, but that does not reach the server, which does not have it',
    ],
  );
  assert.deepEqual(strayFindings(own, { ...seen, source: 'unknown' }), []);
});
