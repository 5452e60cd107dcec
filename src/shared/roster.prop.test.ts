import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Roster } from './roster.ts';
import type { Listed } from './roster.ts';

class Guest implements Listed<Guest> {
  listedBefore: Guest | undefined;
  listedAfter: Guest | undefined;
}

function membersOf(roster: Roster<Guest>): readonly Guest[] {
  const members: Guest[] = [];
  roster.forEach((guest) => members.push(guest));
  return members;
}

test('a roster holds what a set would, in the same order', () => {
  const steps = fc.array(fc.record({ comes: fc.boolean(), who: fc.nat({ max: 7 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (taken) => {
      const guests = Array.from({ length: 8 }, () => new Guest());
      const roster = new Roster<Guest>();
      const model = new Set<Guest>();
      for (const { comes, who } of taken) {
        const guest = guests[who] ?? assert.fail();
        if (comes) {
          roster.add(guest);
          model.add(guest);
        } else {
          roster.delete(guest);
          model.delete(guest);
        }
        assert.deepEqual(
          membersOf(roster).map((one) => guests.indexOf(one)),
          [...model].map((one) => guests.indexOf(one)),
        );
        assert.equal(roster.size, model.size);
      }
    }),
  );
});

test('a member that has left leads to no other', () => {
  const roster = new Roster<Guest>();
  const [first, second, third] = [new Guest(), new Guest(), new Guest()];
  for (const guest of [first, second, third]) roster.add(guest);
  roster.delete(second);
  assert.equal(second.listedBefore, undefined);
  assert.equal(second.listedAfter, undefined);
  assert.deepEqual(membersOf(roster), [first, third]);
});

test('who leaves before its turn is not visited, who comes meanwhile neither', () => {
  const roster = new Roster<Guest>();
  const [first, second, third, late] = [new Guest(), new Guest(), new Guest(), new Guest()];
  for (const guest of [first, second, third]) roster.add(guest);
  const visited: Guest[] = [];
  roster.forEach((guest) => {
    visited.push(guest);
    roster.delete(guest);
    roster.delete(second);
    roster.add(late);
  });
  assert.deepEqual(visited, [first, third]);
});
