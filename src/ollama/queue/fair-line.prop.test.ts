import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { FairLine } from './fair-line.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), client: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({ kind: fc.constant('take' as const) }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
);

type Item = { readonly client: string; readonly number: number };

test('a line loses nothing, keeps the order of each client, and tells each its true turn', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const line = new FairLine<Item>();
      const waiting: Item[] = [];
      for (const [number, one] of steps.entries()) {
        if (one.kind === 'add') {
          const item = { client: one.client, number };
          waiting.push(item);
          line.add(item.client, item);
        } else {
          const item = one.kind === 'take' ? line.take() : waiting[one.at % Math.max(1, waiting.length)];
          if (item === undefined) continue;
          if (one.kind === 'remove') assert.ok(line.remove(item.client, item));
          waiting.splice(waiting.indexOf(item), 1);
        }
        assert.equal(line.length, waiting.length);
      }
      const turns = new Map(waiting.map((item) => [item, line.position(item.client, item)]));
      for (let turn = 1; line.length > 0; turn += 1) {
        const item = line.take();
        assert.ok(item);
        assert.equal(turns.get(item), turn);
        const older = waiting.filter(({ client, number }) => client === item.client && number < item.number);
        assert.deepEqual(older, []);
        waiting.splice(waiting.indexOf(item), 1);
        assert.equal(line.position(item.client, item), 0);
      }
      assert.deepEqual(waiting, []);
    }),
  );
});

test('nobody is served twice while another waits', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 40 }), (clients) => {
      const line = new FairLine<string>();
      for (const client of clients) line.add(client, client);
      const sinceServed = new Map<string, number>();
      const left = new Map<string, number>();
      for (const client of clients) left.set(client, (left.get(client) ?? 0) + 1);
      for (let client = line.take(); client !== undefined; client = line.take()) {
        left.set(client, (left.get(client) ?? 0) - 1);
        sinceServed.set(client, 0);
        for (const [other, count] of left) {
          if (other === client || count === 0) continue;
          const waited = (sinceServed.get(other) ?? 0) + 1;
          sinceServed.set(other, waited);
          assert.ok(waited < left.size, `${other} waits for more than a round`);
        }
      }
    }),
  );
});
