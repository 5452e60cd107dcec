import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import type { CreateSource } from '../control-plane.ts';
import { prepareCreate } from './prepare-create.ts';
import type { PreparedCreate } from './prepare-create.ts';

const GGUF = 'GGUF and then tensors';

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** A folder with these files, by relative path. */
async function folderOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'obelisk-create-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return folder;
}

function prepare(source: CreateSource, signal?: AbortSignal): Promise<PreparedCreate> {
  return prepareCreate({ model: 'new', source }, signal);
}

async function contentOf({ blobs }: PreparedCreate, digest: string | undefined): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of blobs.find((blob) => blob.digest === digest)?.open() ?? []) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('a name needs no files', async () => {
  const { body, blobs } = await prepare({
    from: 'llama3:8b',
    quantize: 'Q8_0',
    system: 's',
    template: 't',
    license: ['MIT'],
    parameters: { num_ctx: 512 },
    messages: [{ role: 'user', content: 'hi' }],
  });
  assert.deepEqual(body, {
    model: 'new',
    from: 'llama3:8b',
    quantize: 'Q8_0',
    system: 's',
    template: 't',
    license: ['MIT'],
    parameters: { num_ctx: 512 },
    messages: [{ role: 'user', content: 'hi' }],
  });
  assert.deepEqual(blobs, []);
});

test('a GGUF file is uploaded under its own name', async (t) => {
  const folder = await folderOf(t, { 'a.gguf': GGUF });
  const prepared = await prepare({ from: path.join(folder, 'a.gguf') });
  assert.deepEqual(prepared.body.files, { 'a.gguf': digestOf(GGUF) });
  assert.equal(prepared.blobs[0]?.bytes, GGUF.length);
  assert.equal(await contentOf(prepared, digestOf(GGUF)), GGUF);
});

const BERT = {
  'model.safetensors': 'weights',
  'config.json': '{"architectures":["BertModel"]}',
  '1_Pooling/config.json': '{"pooling_mode_mean_tokens":true}',
  '2_Dense/model.safetensors': 'more weights',
  'modules.json': '[]',
  'tokenizer.json': '{}',
  'chat_template.jinja': '{{ x }}',
  'tokenizer.model': '\u0000binary',
  'README.md': 'read me',
  'vocab.txt': 'a',
  '.cache/config.json': '{}',
  'deep/er/config.json': '{}',
};

test('files of a folder of safetensors keep their places, and nothing else comes along', async (t) => {
  const folder = await folderOf(t, BERT);
  const { body, blobs } = await prepare({ from: folder });
  assert.deepEqual(Object.keys(body.files ?? {}).sort(), [
    '1_Pooling/config.json',
    '2_Dense/model.safetensors',
    'chat_template.jinja',
    'config.json',
    'model.safetensors',
    'modules.json',
    'tokenizer.json',
    'tokenizer.model',
  ]);
  assert.notEqual(body.files?.['1_Pooling/config.json'], body.files?.['config.json']);
  assert.equal(blobs.length, 8);
});

test('the same bytes under two names are uploaded once', async (t) => {
  const folder = await folderOf(t, { 'model.safetensors': 'w', 'a.json': '{}', 'b.json': '{}' });
  const { body, blobs } = await prepare({ from: folder });
  assert.equal(Object.keys(body.files ?? {}).length, 3);
  assert.equal(blobs.length, 2);
});

test('weights are chosen in Ollama’s order, and GGUF goes alone', async (t) => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [{ 'model-1.safetensors': 'w', 'a.gguf': GGUF }, ['model-1.safetensors']],
    [
      { 'consolidated.safetensors': 'w', 'pytorch_model.bin': 'PK\u0003\u0004' },
      ['consolidated.safetensors'],
    ],
    [{ 'pytorch_model.bin': 'PK\u0003\u0004', 'x.json': '{}' }, ['pytorch_model.bin', 'x.json']],
    [{ 'a.gguf': GGUF, 'b.gguf': `${GGUF}2`, 'config.json': '{}' }, ['a.gguf', 'b.gguf']],
    [{ 'a.bin': GGUF }, ['a.bin']],
  ];
  for (const [files, expected] of cases) {
    const { body } = await prepare({ from: await folderOf(t, files) });
    assert.deepEqual(Object.keys(body.files ?? {}), expected);
  }
});

test('an adapter of PEFT or MLX is found, which has other names', async (t) => {
  for (const weights of ['adapter_model.safetensors', 'adapters.safetensors']) {
    const folder = await folderOf(t, { [weights]: 'w', 'adapter_config.json': '{}' });
    const { body } = await prepare({ from: 'base', adapters: [folder] });
    assert.deepEqual(Object.keys(body.adapters ?? {}), [weights, 'adapter_config.json']);
    assert.equal(body.from, 'base');
  }
});

test('a Modelfile’s paths start at its directory; what is given beside it wins', async (t) => {
  const folder = await folderOf(t, {
    'a.gguf': GGUF,
    'lora/lora.gguf': `${GGUF}2`,
    'draft.gguf': `${GGUF}3`,
  });
  const modelfile = [
    'FROM ./a.gguf',
    'ADAPTER lora',
    'DRAFT draft.gguf',
    'SYSTEM old',
    'PARAMETER num_ctx 512',
    'PARAMETER seed 1',
    'PARAMETER numa true',
  ].join('\n');
  const { body, warnings } = await prepare({
    modelfile,
    directory: folder,
    system: 'new',
    parameters: { seed: 2 },
  });
  assert.deepEqual(body, {
    model: 'new',
    files: { 'a.gguf': digestOf(GGUF) },
    adapters: { 'lora.gguf': digestOf(`${GGUF}2`) },
    draft_files: { 'draft.gguf': digestOf(`${GGUF}3`) },
    system: 'new',
    parameters: { num_ctx: 512, seed: 2 },
  });
  assert.equal(warnings.length, 2);
});

test('FROM is a file where there is one, and else a name', async (t) => {
  const folder = await folderOf(t, { llama3: GGUF });
  const from = async (name: string) => (await prepare({ modelfile: `FROM ${name}`, directory: folder })).body;
  assert.deepEqual((await from('llama3')).files, { llama3: digestOf(GGUF) });
  assert.equal((await from('llama3:8b')).from, 'llama3:8b');
  assert.equal((await from('hf.co/someone/model:Q4_K_M')).from, 'hf.co/someone/model:Q4_K_M');
});

test('several FROM add up to one model', async (t) => {
  const folder = await folderOf(t, { 'a.gguf': GGUF, 'mmproj.gguf': `${GGUF}2` });
  const { body } = await prepare({ modelfile: 'FROM a.gguf\nFROM mmproj.gguf', directory: folder });
  assert.deepEqual(Object.keys(body.files ?? {}), ['a.gguf', 'mmproj.gguf']);
  await assert.rejects(prepare({ modelfile: 'FROM a.gguf\nFROM llama3', directory: folder }), {
    code: 'invalid_request',
    message: /not from both/,
  });
});

test('two files of one name are told apart, or refused', async (t) => {
  const folder = await folderOf(t, { 'x/a.gguf': GGUF, 'y/a.gguf': GGUF, 'z/a.gguf': `${GGUF}2` });
  const from = (names: readonly string[]) =>
    prepare({ modelfile: names.map((name) => `FROM ${name}/a.gguf`).join('\n'), directory: folder });
  assert.equal((await from(['x', 'y'])).blobs.length, 1);
  await assert.rejects(from(['x', 'z']), { code: 'invalid_request', message: /would be called a\.gguf/ });
});

const LFS = 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n';

for (const [name, files, from, message] of [
  ['a folder without a model', { 'config.json': '{}' }, '.', /no model in it/],
  ['a pointer of git-lfs', { 'model.safetensors': LFS }, '.', /git-lfs; .*git lfs pull/],
  ['a tokenizer that is a pointer', { 'model.safetensors': 'w', 'tokenizer.model': LFS }, '.', /git-lfs/],
  ['a file that is no model', { passwd: 'root:x:0:0' }, './passwd', /passwd is not a GGUF file/],
  [
    'a file that is called safetensors',
    { 'a.safetensors': 'root:x:0:0' },
    './a.safetensors',
    /not a file of safetensors/,
  ],
  ['a file that is called GGUF', { 'a.gguf': 'no' }, 'a.gguf', /a\.gguf is not a GGUF file/],
  ['a configuration that is no text', { 'model.safetensors': 'w', 'a.json': '\u0000' }, '.', /not a text/],
  ['PyTorch that is none', { 'pytorch_model.bin': 'no' }, '.', /not a PyTorch file/],
  ['a path that is not there', {}, './a.gguf', /cannot be read: ENOENT/],
  ['a name that can only be a file', {}, 'missing.gguf', /cannot be read: ENOENT/],
  ['the home of somebody else', {}, '~someone/a', /write the whole path/],
] as const) {
  test(`${name} is refused before anything is sent`, async (t) => {
    const directory = await folderOf(t, files);
    await assert.rejects(prepare({ modelfile: `FROM ${from}`, directory }), {
      code: 'invalid_request',
      message,
    });
  });
}

test(
  'a link that leads out of its folder is refused, one within it is not',
  { skip: process.platform === 'win32' },
  async (t) => {
    const secret = await folderOf(t, { 'secret.json': '{}' });
    const folder = await folderOf(t, { 'real.safetensors': 'w' });
    await symlink('real.safetensors', path.join(folder, 'model.safetensors'));
    assert.deepEqual(Object.keys((await prepare({ from: folder })).body.files ?? {}), ['model.safetensors']);
    await symlink(path.join(secret, 'secret.json'), path.join(folder, 'config.json'));
    await assert.rejects(prepare({ from: folder }), {
      code: 'invalid_request',
      message: /leads out of its folder/,
    });
  },
);

for (const [what, source, message] of [
  ['nothing', {}, /made from something/],
  ['an unknown quantization', { from: 'a', quantize: 'q5_0' }, /cannot quantize to "q5_0"; .*q4_K_M/],
  ['a wrong parameter', { from: 'a', parameters: { num_ctx: 'x' } }, /num_ctx/],
  ['a relative path with no directory', { modelfile: 'FROM ./a.gguf' }, /relative to nothing/],
  ['a directory relative to nothing', { modelfile: 'FROM ./a', directory: 'b' }, /is a whole path/],
  ['a broken Modelfile', { modelfile: 'FORM a' }, /line 1/],
] as const) {
  test(`a model of ${what} is refused`, () =>
    assert.rejects(prepare(source), { code: 'invalid_request', message }));
}

test('reading is told of, and ends when nobody waits for it', async (t) => {
  const folder = await folderOf(t, { 'a.gguf': GGUF.repeat(50_000) });
  const source = { from: path.join(folder, 'a.gguf') };
  const seen: number[] = [];
  await prepareCreate({ model: 'new', source }, undefined, (_, read) => seen.push(read));
  assert.equal(seen.at(-1), GGUF.length * 50_000);
  await assert.rejects(prepare(source, AbortSignal.abort()), { code: 'client_gone' });
});
