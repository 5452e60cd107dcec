import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { createLookup } from './upstream-lookup.ts';

type Callback = Parameters<LookupFunction>[2];

/** A resolver that answers when it is told to. */
function createScripted(): {
  readonly lookup: LookupFunction;
  readonly asked: { host: string; callback: Callback }[];
} {
  const asked: { host: string; callback: Callback }[] = [];
  return { asked, lookup: (host, _options, callback) => void asked.push({ host, callback }) };
}

const resolve = (lookup: LookupFunction, host: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    lookup(host, {}, (error, address) => (error === null ? resolve(address) : reject(error)));
  });

test('questions for one name at one time are asked once', async () => {
  const { lookup, asked } = createScripted();
  const shared = createLookup({ lookup });
  const both = Promise.all([resolve(shared, 'a.test'), resolve(shared, 'a.test'), resolve(shared, 'b.test')]);
  assert.deepEqual(
    asked.map(({ host }) => host),
    ['a.test', 'b.test'],
  );
  asked[1]?.callback(null, '2.2.2.2', 4);
  asked[0]?.callback(null, '1.1.1.1', 4);
  assert.deepEqual(await both, ['1.1.1.1', '1.1.1.1', '2.2.2.2']);
});

test('nothing is remembered, neither an address nor a failure', async () => {
  const { lookup, asked } = createScripted();
  const shared = createLookup({ lookup });
  const first = resolve(shared, 'a.test');
  asked[0]?.callback(new Error('no such name'), '');
  await assert.rejects(first, /no such name/);
  const second = resolve(shared, 'a.test');
  asked[1]?.callback(null, '1.1.1.1', 4);
  assert.equal(await second, '1.1.1.1');
  void resolve(shared, 'a.test');
  assert.equal(asked.length, 3);
  asked[2]?.callback(null, '1.1.1.1', 4);
});

test('a resolver that hangs is given up, its late answer is ignored and the next question asked anew', async () => {
  const { lookup, asked } = createScripted();
  const shared = createLookup({ lookup, limitMs: 20 });
  await assert.rejects(resolve(shared, 'a.test'), { code: 'ETIMEOUT', message: /not resolved within 20 ms/ });
  const again = resolve(shared, 'a.test');
  asked[0]?.callback(null, '9.9.9.9', 4);
  asked[1]?.callback(null, '1.1.1.1', 4);
  assert.equal(await again, '1.1.1.1');
});
