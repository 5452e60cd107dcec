import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanTopLevel } from './json-scan.ts';
import { splice } from './json-splice.ts';

const scan = (text: string): ReturnType<typeof scanTopLevel> =>
  scanTopLevel(Buffer.from(text), { refusedKeys: new Set(['api_base', 'api_key']) });

const invalid = { code: 'invalid_request' };

test('members are known by range and value, whatever surrounds them', () => {
  const found = scan(
    ' {"model" : "llama3", "messages":[{"model":"decoy"}], "x":"\\"model\\":1", "stream": true }\n',
  );
  assert.equal(found.value('model'), 'llama3');
  assert.equal(found.value('stream'), true);
  assert.equal(found.value('absent'), undefined);
  assert.deepEqual([...found.members.keys()], ['model', 'messages', 'x', 'stream']);
});

test('a key spelt with escapes is the key it spells', () => {
  assert.equal(scan('{"mod\\u0065l":"a"}').value('model'), 'a');
  assert.throws(() => scan('{"mod\\u0065l":"a","model":"b"}'), { ...invalid, param: 'model' });
});

test('a key sent twice is refused at the top only', () => {
  assert.throws(() => scan('{"model":"a","n":1,"model":"b"}'), { ...invalid, param: 'model' });
  assert.ok(scan('{"tools":[{"a":1,"a":2}]}'));
});

test('a number may be long, and one of more digits than any program means is refused', () => {
  const digits = (count: number): string => '7'.repeat(count);
  for (const number of [digits(1_000), `-0.${digits(1_000)}`, `1e${digits(1_000)}`])
    assert.ok(scan(`{"n":${number},"m":[${number}]}`), number);
  for (const number of [digits(1_001), `0.${digits(1_001)}`, `1e-${digits(1_001)}`])
    assert.throws(() => scan(`{"n":[${number}]}`), invalid, number);
});

test('keys that choose hosts or credentials are refused at the top and in metadata, and nowhere else', () => {
  assert.throws(() => scan('{"api_base":"http://evil"}'), { ...invalid, param: 'api_base' });
  assert.throws(() => scan('{"api_b\\u0061se":"http://evil"}'), { ...invalid, param: 'api_base' });
  assert.throws(() => scan('{"metadata":{"a":1,"api_key":"k"}}'), { ...invalid, param: 'metadata.api_key' });
  assert.ok(scan('{"metadata":{"a":{"api_key":1}},"tools":{"api_key":1}}'));
});

test('what cannot be seen in a body is named', () => {
  assert.throws(() => scan(''), /it is empty; send a JSON object/);
  assert.throws(() => scan('\uFEFF{}'), /it begins with a byte order mark; send it without/);
  assert.throws(() => scan('[]'), /at byte 0: an object was expected/);
});

for (const bad of [
  '',
  ' ',
  '[]',
  '1',
  '"a"',
  'null',
  '{',
  '{}}',
  '{} x',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  "{'a':1}",
  '{"a":01}',
  '{"a":1.}',
  '{"a":.5}',
  '{"a":-}',
  '{"a":1e}',
  '{"a":+1}',
  '{"a":tru}',
  '{"a":nulll}',
  '{"a":NaN}',
  '{"a":"\\x"}',
  '{"a":"\\u12g4"}',
  '{"a":"\n"}',
  '{"a":"',
  '{"a":"\\',
  '{"a":[1,]}',
  '{"a":[1}',
  '{"a":{]}',
  '\uFEFF{}',
  '{"a":1 "b":2}',
  '{"a" 1}',
  '{"a":1/*x*/}',
]) {
  test(`${JSON.stringify(bad)} is refused`, () => assert.throws(() => scan(bad), invalid));
}

test('bytes that are no UTF-8 are refused', () => {
  assert.throws(() => scanTopLevel(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), invalid);
});

test('64 levels are accepted, 65 and a million are not', () => {
  const nested = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  assert.ok(scan(nested(64)));
  assert.throws(() => scan(nested(65)), invalid);
  assert.throws(() => scan('{"a":'.repeat(1_000_000)), invalid);
});

test('eight MiB of zeros and commas are refused long before their end', () => {
  assert.throws(() => scan(`{"a":[${'0,'.repeat(4 * 1024 * 1024)}0]}`), /byte (2|3|4)\d{5}:/);
});

test('a thousand members are accepted, a hundred thousand are refused at once', () => {
  const members = (count: number): string =>
    `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;
  assert.equal(scan(members(1_000)).members.size, 1_000);
  assert.throws(() => scan(members(100_000)), /byte \d{4}\d?:/);
});

test('a thousand keys of metadata are accepted, a hundred thousand are refused at once: each is held against the refused ones', () => {
  const metadata = (count: number): string =>
    `{"metadata":{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}},"user":{"a":1}}`;
  assert.equal(scan(metadata(1_000)).members.size, 2);
  assert.throws(() => scan(metadata(100_000)), /byte \d{4}\d?: metadata has more than 1000 keys/);
});

test('errors never quote the body', () => {
  assert.throws(
    () => scan('{"prompt":"secret" x}'),
    (error: unknown) => !String(error).includes('secret'),
  );
});

test('values are replaced in place and the rest is kept byte for byte', () => {
  const found = scan('{ "model" : "a" ,\n "messages":[ 1.0, "é" ] }');
  assert.equal(splice(found, { model: '"bé"' }).toString(), '{ "model" : "bé" ,\n "messages":[ 1.0, "é" ] }');
  assert.equal(
    splice(found, { stream_options: '{"include_usage":true}', messages: '[]' }).toString(),
    '{"stream_options":{"include_usage":true}, "model" : "a" ,\n "messages":[] }',
  );
  assert.equal(splice(scan(' {}'), { a: '1' }).toString(), ' {"a":1}');
});

test('members are removed wherever they stand', () => {
  const found = scan('{"a":1,"b":2,"c":3}');
  assert.equal(splice(found, { a: null }).toString(), '{"b":2,"c":3}');
  assert.equal(splice(found, { c: null, b: null }).toString(), '{"a":1}');
  assert.equal(splice(found, { a: null, b: null, c: null, d: null }).toString(), '{}');
  assert.equal(splice(found, { b: null, c: '4', d: '5' }).toString(), '{"d":5,"a":1,"c":4}');
});
