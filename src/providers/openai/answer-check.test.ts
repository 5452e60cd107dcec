import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAnswer } from './answer-check.ts';

const check = (text: string): ReturnType<typeof checkAnswer> => checkAnswer(Buffer.from(text), 'choices');
const content = (text: string): string => JSON.stringify({ choices: [{ message: { content: text } }] });

test('an answer is told from everything else', () => {
  assert.equal(check(content('Hi')).kind, 'answer');
  assert.equal(check(` \n${content('Hi')}\r\n`).kind, 'answer');
  for (const text of [
    '',
    '{',
    '}',
    '<html>',
    'null',
    '[]',
    '{}',
    '{"data":[]}',
    content('Hi').slice(0, -1),
  ]) {
    assert.equal(check(text).kind, 'invalid', text);
  }
});

test('a body that was cut right behind a brace is no answer', () => {
  const whole = JSON.stringify({ choices: [{ message: { content: '"}' } }], usage: { prompt_tokens: 3 } });
  for (let end = 0; end < whole.length; end += 1)
    assert.equal(check(whole.slice(0, end)).kind, 'invalid', whole.slice(0, end));
  assert.equal(check(`${whole}}`).kind, 'invalid');
});

test('an error inside a 200 is found, and one that is only talked about is not', () => {
  assert.deepEqual(check('{"error":{"message":"no","code":"c"}}'), {
    kind: 'failure',
    failure: { message: 'no', code: 'c' },
  });
  assert.equal(check('{"choices":[],"error":"no"}').kind, 'failure');
  assert.equal(check('{"choices":[],"error":null}').kind, 'answer');
  assert.equal(check(content('{"error":{"message":"no"}}')).kind, 'answer');
});

test('the usage is the answer’s, not one that the answer talks about', () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 1 } };
  const talk = '{"usage":{"prompt_tokens":99,"completion_tokens":99}}';
  const body = { usage, choices: [{ message: { content: talk } }] };
  const expected = { kind: 'answer', usage: { promptTokens: 3, completionTokens: 4 } };
  assert.deepEqual(check(JSON.stringify(body)), expected);
  assert.deepEqual(check(JSON.stringify(body, null, 2)), expected);
  assert.deepEqual(check(JSON.stringify({ choices: [], usage: null })), { kind: 'answer' });
});
