import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanTopLevel } from '../wire/json-scan.ts';
import { letOthersGoFirst } from './request-body.ts';

const scanOf = (bytes: number): ReturnType<typeof scanTopLevel> =>
  scanTopLevel(Buffer.from(`{"a":"${'x'.repeat(bytes)}"}`));

test('a large body lets what waits go first, a small one waits for nobody', async () => {
  assert.equal(letOthersGoFirst(scanOf(1_000)), undefined);
  const order: string[] = [];
  setImmediate(() => order.push('another'));
  await letOthersGoFirst(scanOf(2_000_000));
  order.push('the large one');
  assert.deepEqual(order, ['another', 'the large one']);
});
