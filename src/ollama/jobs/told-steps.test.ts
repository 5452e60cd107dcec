import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { toldSteps } from './told-steps.ts';

async function read<T>(
  steps: AsyncGenerator<{ readonly status: string }, T>,
): Promise<readonly [string[], T]> {
  const seen: string[] = [];
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return [seen, next.value];
    seen.push(next.value.status);
  }
}

test('steps come as they are told, and the result behind them', async () => {
  const steps = toldSteps(async (tell) => {
    for (const status of ['a', 'b', 'c']) {
      tell({ status });
      await sleep(1);
    }
    return 7;
  });
  assert.deepEqual(await read(steps), [['a', 'b', 'c'], 7]);
});

test('whoever is slow hears the latest step alone', async () => {
  const steps = toldSteps(async (tell) => {
    for (const status of ['a', 'b', 'c']) tell({ status });
    await sleep(1);
  });
  assert.deepEqual((await read(steps))[0], ['c']);
});

test('a failure comes behind the steps, however late it is asked for', async () => {
  const steps = toldSteps(async (tell) => {
    tell({ status: 'a' });
    await sleep(0);
    throw new Error('no');
  });
  assert.equal((await steps.next()).done, false);
  await sleep(5);
  await assert.rejects(steps.next(), { message: 'no' });
});

test('work without steps has a result', async () => {
  assert.deepEqual(await read(toldSteps(async () => 'x')), [[], 'x']);
});
