import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChatEventReader } from './from-event.ts';

const chunk = (delta: object, finish: string | null = null): string =>
  JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });

test('a refusal is told as text: no other dialect has a field for it, and an empty answer says nothing', () => {
  const reader = createChatEventReader();
  const said = [chunk({ role: 'assistant', refusal: 'I ' }), chunk({ refusal: 'cannot' }), chunk({}, 'stop')];
  const events = said.flatMap((data) => reader.read(data));
  assert.deepEqual(events, [
    { type: 'text-delta', text: 'I ' },
    { type: 'text-delta', text: 'cannot' },
  ]);
});

for (const reason of ['error', 'abort']) {
  test(`an answer that its server ended with "${reason}" is not a whole one`, () => {
    const reader = createChatEventReader();
    reader.read(chunk({ content: 'Hel' }));
    assert.throws(() => reader.read(chunk({}, reason)), { code: 'upstream_error' });
  });
}

test('other words for an ordinary end are one', () => {
  const reader = createChatEventReader();
  reader.read(chunk({ content: 'Hello' }, 'eos_token'));
  const [finish] = reader.end();
  assert.equal(finish?.type === 'finish' && finish.reason, 'stop');
});
