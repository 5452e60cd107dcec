import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPoller } from './poller.ts';

test('a look that was under way when something changed is followed by one more, for all who ask', async () => {
  const seen: string[] = [];
  const ends: (() => void)[] = [];
  let there = 'old';
  const poller = createPoller({
    pollMs: 60_000,
    async look() {
      const found = there;
      await new Promise<void>((resolve) => ends.push(resolve));
      seen.push(found);
      return true;
    },
  });
  const early = poller.refresh();
  there = 'new';
  const late = [poller.lookAgain(), poller.lookAgain(), poller.refresh()];
  ends[0]?.();
  await early;
  assert.deepEqual(seen, ['old']);
  while (ends.length < 2) await new Promise((resolve) => setImmediate(resolve));
  ends[1]?.();
  await Promise.all(late);
  assert.deepEqual(seen, ['old', 'new']);
});

test('a look again begins at once where none is under way', async () => {
  let looks = 0;
  const poller = createPoller({ pollMs: 60_000, look: () => Promise.resolve((looks += 1) > 0) });
  await poller.lookAgain();
  assert.equal(looks, 1);
  await poller.stop();
  await poller.lookAgain();
});
