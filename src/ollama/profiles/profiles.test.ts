import assert from 'node:assert/strict';
import { test } from 'node:test';

import { profilesOf } from '../../../test/ollama-profiles.ts';
import { ollamaModelKey } from '../../shared/ollama-model-name.ts';
import { toOllamaModel } from '../fleet/model-facts.ts';
import type { OllamaModel } from '../fleet/model-facts.ts';

import { DEFAULT_PROFILE } from './profiles.ts';
import type { OllamaProfiles, ProfileHost, ProfileSettings } from './profiles.ts';

const GIB = 1024 ** 3;

function host(more: Partial<ProfileHost> & { readonly name: string }): ProfileHost {
  return {
    url: `http://${more.name}.example:11434`,
    parallel: 1,
    hardware: {},
    modelOverrides: {},
    ...more,
  };
}

function llama(more: Partial<OllamaModel> = {}): OllamaModel {
  const described = toOllamaModel(
    { name: 'llama3:latest', size: 4.7e9 },
    {
      capabilities: ['completion'],
      parameters: 'num_thread 2',
      model_info: {
        'general.architecture': 'llama',
        'llama.context_length': 131_072,
        'llama.block_count': 32,
        'llama.embedding_length': 4096,
        'llama.attention.head_count': 32,
        'llama.attention.head_count_kv': 8,
      },
    },
  );
  return { ...described, ...more };
}

function profiles(settings: Partial<ProfileSettings> = {}, model: OllamaModel = llama()): OllamaProfiles {
  return profilesOf(
    { hosts: [host({ name: 'small', memoryBytes: 7 * GIB })], ...settings },
    {
      installed: (_url, name) => (ollamaModelKey(name) === model.name ? model : undefined),
      names: () => [model.name],
    },
  );
}

function valuesOf(view: { options: Readonly<Record<string, { value: unknown }>> }): unknown {
  return Object.fromEntries(Object.entries(view.options).map(([name, { value }]) => [name, value]));
}

test('another name of the same weights that is loaded with something else is told of', () => {
  const twins = [
    llama({ name: 'llama3:latest', weights: 'w1' }),
    llama({ name: 'same:latest', weights: 'w1' }),
    llama({ name: 'long:latest', weights: 'w1', ownOptions: { num_thread: 2, num_ctx: 4096 } }),
    llama({ name: 'other:latest', weights: 'w2', ownOptions: {} }),
  ];
  const view = profilesOf(
    { hosts: [host({ name: 'small', memoryBytes: 70 * GIB })] },
    {
      installed: (_url, name) => twins.find((one) => one.name === ollamaModelKey(name)),
      names: () => [...twins, ...twins].map(({ name }) => name),
    },
  ).view('llama3');
  assert.deepEqual(view.notices, [
    'long:latest has the same weights and another num_ctx: requests for both in turns load them anew at small; give both the same',
  ]);
});

test('a view says what is sent, and where each value comes from', () => {
  const view = profiles({ hardware: { num_batch: 256 }, modelOverrides: { LLAMA3: { num_gpu: 2 } } }).view(
    'llama3',
  );
  assert.deepEqual(view, {
    model: 'llama3:latest',
    options: {
      num_ctx: { value: 9216, source: 'default' },
      num_thread: { value: 2, source: 'model' },
      num_batch: { value: 256, source: 'configured' },
      num_gpu: { value: 2, source: 'configured' },
    },
    requestOptions: [],
    notices: [
      'num_gpu: 2 places 2 of 33 layers on the GPU and the others on the CPU; it does not count GPUs',
    ],
  });
});

test('the closer a word is to the model on its host the more it counts, and of two the one at run time', () => {
  const gpu = host({
    name: 'gpu',
    hardware: { num_batch: 2, num_gpu: 2, num_ctx: 2048 },
    modelOverrides: { llama3: { num_ctx: 4096 } },
  });
  const set = profiles({
    hosts: [gpu, host({ name: 'other' })],
    hardware: { num_batch: 1, num_thread: 1, main_gpu: 1 },
    modelOverrides: { llama3: { num_gpu: 3, num_ctx: 3072 } },
  });
  assert.deepEqual(valuesOf(set.view('llama3:latest', { host: 'gpu' })), {
    num_ctx: 4096,
    num_thread: 1,
    num_batch: 2,
    main_gpu: 1,
    num_gpu: 3,
  });
  set.patch(DEFAULT_PROFILE, { options: { num_thread: 8, num_gpu: 9 } });
  set.patch('llama3', { options: { num_ctx: 8192, num_batch: 64 } });
  assert.deepEqual(set.view('llama3', { host: 'gpu' }).options, {
    num_ctx: { value: 4096, source: 'configured' },
    num_thread: { value: 8, source: 'run time' },
    num_batch: { value: 64, source: 'run time' },
    main_gpu: { value: 1, source: 'configured' },
    num_gpu: { value: 3, source: 'configured' },
  });
  set.patch('llama3', { options: { num_ctx: 1024 } }, { host: 'gpu' });
  assert.deepEqual(set.view('llama3', { host: 'gpu' }).options['num_ctx'], {
    value: 1024,
    source: 'run time',
  });
  assert.equal(set.view('llama3', { host: 'other' }).options['num_ctx']?.value, 8192);
});

test('null takes a value back to what is configured', () => {
  const set = profiles({ modelOverrides: { llama3: { num_ctx: 4096 } } });
  set.patch('llama3', { options: { num_ctx: 8192 }, keepAlive: '1h', requestOptions: ['num_ctx'] });
  const patched = set.view('llama3');
  assert.deepEqual(
    [valuesOf(patched), patched.keepAlive, patched.requestOptions],
    [{ num_ctx: 8192, num_thread: 2 }, 3600, ['num_ctx']],
  );
  set.patch('llama3', { options: { num_ctx: null }, keepAlive: null, requestOptions: null });
  const back = set.view('llama3');
  assert.deepEqual(
    [valuesOf(back), back.keepAlive, back.requestOptions],
    [{ num_ctx: 4096, num_thread: 2 }, undefined, []],
  );
});

test('what was patched is what requests are served with, in any spelling of the name', () => {
  const set = profiles();
  let changes = 0;
  const stop = set.onChange(() => (changes += 1));
  set.patch('Llama3', { options: { num_ctx: 1024 }, keepAlive: -1 });
  stop();
  set.patch('llama3', { requestOptions: ['num_ctx', 'keep_alive'] });
  const target = { baseUrl: 'http://small.example:11434', model: 'llama3:latest', defaults: {} };
  const served = set.of(target, llama());
  assert.deepEqual(served.runner, { num_ctx: 1024, num_thread: 2 });
  assert.equal(served.keepAlive, -1);
  assert.deepEqual([...served.requestable], ['keep_alive', 'num_ctx']);
  assert.equal(changes, 1);
});

test('what cannot be set is refused by name, with what to use instead, and changes nothing', () => {
  const set = profiles();
  const refused = (options: Record<string, unknown>, message: RegExp): void =>
    assert.throws(() => set.patch('llama3', { options: options as Record<string, number> }), {
      code: 'invalid_request',
      message,
    });
  refused({ num_ctx: 512, low_vram: true }, /low_vram cannot be used: .*Use num_gpu/);
  refused({ f16_kv: true }, /OLLAMA_KV_CACHE_TYPE/);
  refused({ use_mlock: true }, /keep_alive/);
  refused({ numa: true }, /detects NUMA by itself/);
  refused({ gpu_memory_fraction: 0.9 }, /OLLAMA_GPU_OVERHEAD/);
  refused({ temperature: 1 }, /sampling option/);
  refused({ num_cxt: 512 }, /did you mean num_ctx\?/);
  refused({ num_ctx: 1 }, /num_ctx must be an integer of at least 4/);
  refused({ num_gpu: 0.5 }, /num_gpu must be an integer/);
  refused({ use_mmap: 1 }, /use_mmap must be a boolean/);
  assert.throws(() => set.patch('llama3', { keepAlive: 'soon' }), { param: 'keep_alive' });
  assert.throws(() => set.patch('llama3', { requestOptions: ['seed'] }), { param: 'seed' });
  assert.throws(() => set.patch('a b', {}), { param: 'model' });
  assert.throws(() => set.patch('llama3', {}, { host: 'nowhere' }), {
    code: 'not_found',
    message: 'no host is called nowhere; the hosts are: small',
  });
  assert.deepEqual(valuesOf(set.view('llama3')), { num_ctx: 9216, num_thread: 2 });
});

test('a person is told of a window that is more than trained, or more than fits', () => {
  const set = profiles();
  set.patch('llama3', { options: { num_ctx: 65_536 } });
  assert.match(set.view('llama3').notices[0] ?? '', /are 13\.3 GB; .*lower num_ctx to 9216/);
  const short = profiles({ modelOverrides: { llama3: { num_ctx: 8192 } } }, llama({ contextLength: 2048 }));
  assert.deepEqual(short.view('llama3').notices, [
    'num_ctx: 8192 is more than the model was trained for, so it gets 2048',
  ]);
  assert.deepEqual(profiles().view('nope').notices, ['the model is on no host that is there now']);
});

test('a host elsewhere whose memory nobody configured is said to be unknown', () => {
  const set = profiles({ hosts: [host({ name: 'far' })] });
  assert.equal(set.view('llama3').options['num_ctx']?.value, 16_384);
  assert.match(set.view('llama3').notices.join(), /the memory of far is not known/);
});

test('of several hosts, those where a value is another one are named with it', () => {
  const hosts = [
    host({ name: 'big' }),
    host({ name: 'small', memoryBytes: 7 * GIB }),
    host({ name: 'slow', hardware: { num_thread: 4 }, modelOverrides: { llama3: { num_gpu: 0 } } }),
  ];
  const set = profiles({ hosts });
  assert.deepEqual(set.view('llama3').notices, [
    'at small it is num_ctx: 9216',
    'at slow it is num_thread: 4, num_gpu: 0',
  ]);
  assert.deepEqual(set.view('default').notices, ['at slow it is num_thread: 4']);
  assert.deepEqual(
    profiles({ hosts: [host({ name: 'small', memoryBytes: 7 * GIB })] }).view('llama3').notices,
    [],
  );
});

test('a model that runs elsewhere is loaded nowhere and has no options', () => {
  const view = profiles({ hardware: { num_gpu: 1 } }, llama({ remoteHost: 'ollama.com' })).view('llama3');
  assert.deepEqual(view.options, {});
  assert.match(view.notices.join(), /runs at ollama\.com/);
});

test('every profile is listed once, and that of a host where it differs', () => {
  const hosts = [
    host({ name: 'a', hardware: { num_thread: 4 } }),
    host({ name: 'b', modelOverrides: { Llama3: { num_gpu: 0 } } }),
  ];
  const set = profiles({ hosts, modelOverrides: { mistral: { num_ctx: 512 } } });
  set.patch('phi', { options: { num_ctx: 1024 } }, { host: 'a' });
  assert.deepEqual(
    set.views().map(({ model, host: at }) => (at === undefined ? model : `${model} at ${at}`)),
    [
      'default',
      'default at a',
      'llama3:latest',
      'llama3:latest at b',
      'mistral:latest',
      'phi:latest',
      'phi:latest at a',
    ],
  );
  assert.deepEqual(valuesOf(set.view('default', { host: 'a' })), { num_thread: 4 });
});
