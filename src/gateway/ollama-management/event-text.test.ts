import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventText } from './event-text.ts';

test('the text of an event is made once for all who read it, and anew for another event', () => {
  let made = 0;
  const event = (): { readonly type: string; toJSON(): object } => ({
    type: 'loaded',
    toJSON: () => ({ nth: (made += 1) }),
  });
  const textOf = createEventText<ReturnType<typeof event>>(({ type }) => type);
  const one = event();
  assert.equal(textOf(one), 'event: loaded\ndata: {"nth":1}\n\n');
  assert.equal(textOf(one), textOf(one));
  assert.equal(textOf(event()), 'event: loaded\ndata: {"nth":2}\n\n');
});
