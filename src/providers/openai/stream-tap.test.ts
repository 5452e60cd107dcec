import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamTap } from './stream-tap.ts';

const usage = { prompt_tokens: 8, completion_tokens: 5, total_tokens: 13 };
const event = (json: object): string => `data: ${JSON.stringify(json)}\n\n`;
const TEXT = event({ id: 'ü', choices: [{ index: 0, delta: { content: 'Grüße' } }], usage: null });
const FINISH = event({ id: 'ü', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage });
const DONE = 'data: [DONE]\n\n';

function through(stream: string, strip: boolean): { readonly out: string; readonly tap: StreamTap } {
  const tap = new StreamTap(strip);
  const parts = [tap.feed(Buffer.from(stream)), tap.flush()];
  return { out: Buffer.concat(parts.filter((part) => part !== undefined)).toString(), tap };
}

for (const [name, choices] of [
  ['OpenAI', []],
  ['LiteLLM', [{ index: 0, delta: {} }]],
  ['others', [{ index: 0, delta: { role: null, content: '' }, finish_reason: null }]],
] as const) {
  test(`usage as ${name} sends it leaves without choices, and only for those who asked`, () => {
    const sent = event({ id: 'ü', choices, usage });
    const asked = through(TEXT + sent + DONE, false);
    assert.equal(asked.out, TEXT + event({ id: 'ü', choices: [], usage }) + DONE);
    const notAsked = through(TEXT + sent + DONE, true);
    assert.equal(notAsked.out, TEXT + DONE);
    for (const { tap } of [asked, notAsked]) {
      assert.deepEqual(tap.facts().usage, { promptTokens: 8, completionTokens: 5 });
    }
  });
}

test('a chunk that says something keeps its usage, whoever asked', () => {
  const text = event({ choices: [{ index: 0, delta: { content: 'x' } }], usage });
  for (const strip of [true, false])
    assert.equal(through(text + FINISH + DONE, strip).out, text + FINISH + DONE);
});

for (const [name, wrong] of [
  ['half a chunk', 'data: {"choices":[{"delta":{"content":"x\n\n'],
  ['plain text', 'data: Internal Server Error\n\n'],
] as const) {
  test(`${name} in place of an event ends what is given out, whatever follows it`, () => {
    const { out, tap } = through(TEXT + wrong + FINISH + DONE, false);
    assert.equal(out, TEXT);
    assert.match(tap.flaw ?? '', /not JSON/);
    assert.equal(tap.feed(Buffer.from(FINISH)), undefined);
    const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
    assert.equal(through(crlf(TEXT + wrong + FINISH + DONE), false).out, crlf(TEXT));
  });
}

test('comments, empty data and fields nobody knows are no malformed events', () => {
  const odd = ': ping\n\nevent: x\nid: 1\n\ndata:\n\nvendor\n\ndata: null\n\n';
  const { out, tap } = through(odd + TEXT + odd + FINISH + DONE, false);
  assert.equal(out, odd + TEXT + odd + FINISH + DONE);
  assert.equal(tap.flaw, undefined);
});

for (const [name, end] of [
  ['LF and CRLF', '\n\r\n'],
  ['CRLF and LF', '\r\n\n'],
] as const) {
  test(`events that end with ${name} pass, and their facts are read, however they are cut`, () => {
    const all = (TEXT + TEXT + FINISH + DONE).replaceAll('\n\n', end);
    for (let length = 1; length <= all.length; length += 1) {
      const tap = new StreamTap(false);
      const bytes = Buffer.from(all);
      let out = '';
      for (let at = 0; at < bytes.length; at += length)
        out += tap.feed(bytes.subarray(at, at + length))?.toString() ?? '';
      assert.equal(out, all);
      assert.equal(tap.events, 4);
      assert.deepEqual(tap.facts(), {
        complete: true,
        done: true,
        usage: { promptTokens: 8, completionTokens: 5 },
      });
    }
  });
}

test('signs of life before the first data begin no answer, and pass behind it', () => {
  const tap = new StreamTap(false);
  for (const sign of ['\uFEFF: wait\n\n', ': wait\n\nretry: 9\n\n', 'event: ping\n\n', 'data:\n\n'])
    assert.equal(tap.feed(Buffer.from(sign)), undefined);
  assert.equal(tap.feed(Buffer.from(TEXT))?.toString(), TEXT);
  assert.equal(tap.feed(Buffer.from(': wait\n\n'))?.toString(), ': wait\n\n');
});

for (const wrong of ['-7', '1e400', '2.5', '"7"', '9007199254740993']) {
  test(`a count of ${wrong} tokens is no usage`, () => {
    for (const name of ['prompt_tokens', 'completion_tokens']) {
      const counts = { prompt_tokens: 1, completion_tokens: 1, [name]: 'wrong' };
      const text = event({ choices: [], usage: counts }).replace('"wrong"', wrong);
      assert.equal(through(TEXT + text + DONE, false).tap.facts().usage, undefined);
    }
  });
}

test('a byte order mark does not leave, since a heartbeat may stand before it', () => {
  assert.equal(through(`\uFEFF${TEXT}${FINISH}`, false).out, TEXT + FINISH);
  const tap = new StreamTap(false);
  const parts = [...Buffer.from(`\uFEFF${TEXT}${TEXT}`)].map((byte) => tap.feed(Buffer.of(byte)));
  assert.equal(Buffer.concat(parts.filter((part) => part !== undefined)).toString(), TEXT + TEXT);
});

test('a key that the server repeats in its error does not leave, in the last event or before it', () => {
  const tell = event({ error: { message: 'no access for sk-canary' } });
  for (const stream of [TEXT + tell, TEXT + tell + DONE, (TEXT + tell).trimEnd()]) {
    const tap = new StreamTap(true, (text) => text.replaceAll('sk-canary', '[secret]'));
    const parts = [tap.feed(Buffer.from(stream)), tap.flush()].filter((part) => part !== undefined);
    const out = Buffer.concat(parts).toString();
    assert.ok(out.includes('no access for [secret]') && out.includes('Grüße'), out);
    assert.equal(tap.facts().failure?.message, 'no access for [secret]');
  }
});

for (const [name, lineEnd] of [
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
] as const) {
  test(`events whose lines end with ${name} are counted as they go out, however they arrive`, () => {
    const stream = Buffer.from((TEXT + TEXT + FINISH).replaceAll('\n', lineEnd));
    const whole = new StreamTap(false);
    assert.equal(whole.events, 0);
    whole.feed(stream);
    assert.equal(whole.events, 3);
    const bytewise = new StreamTap(false);
    for (const byte of stream) bytewise.feed(Buffer.of(byte));
    assert.equal(bytewise.events, 3);
  });
}

test('facts are read however they are spelled, behind any number of events that say nothing', () => {
  for (const finish of [
    '{"choices":[{"delta":{},"finish_reason":"stop"}]}',
    '{"choices":[{"delta":{}, "finish_reason" : "stop"}]}',
    '{"choices":[{"delta":{},"finish\\u005freason":"stop"}]}',
    '{"choices":[{"finish_reason":null},{"finish_reason":"stop"}]}',
  ]) {
    const tap = new StreamTap(false);
    for (let piece = 0; piece < 1_000; piece += 1) {
      tap.feed(Buffer.from('data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'));
    }
    tap.feed(Buffer.from(`data: ${finish}\n\n`));
    assert.deepEqual(tap.facts(), { complete: true, done: false }, finish);
  }
});

test('an end that more than the tail followed is no end: others of its choices may have been cut', () => {
  const tap = new StreamTap(false);
  tap.feed(Buffer.from('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'));
  for (let piece = 0; piece < 200; piece += 1) {
    tap.feed(Buffer.from('data: {"choices":[{"index":1,"delta":{"content":"a"},"finish_reason":null}]}\n\n'));
  }
  assert.deepEqual(tap.facts(), { complete: false, done: false });
});
