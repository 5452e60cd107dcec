import assert from 'node:assert/strict';
import { test } from 'node:test';

import { placementCost, victimsOf } from './placement-cost.ts';
import type { HostFacts, ModelAtHost } from './placement-cost.ts';

const GIB = 2 ** 30;

function model(fields: Partial<ModelAtHost> = {}): ModelAtHost {
  return {
    state: 'warm',
    claims: 0,
    demand: 1,
    workMs: 1_000,
    loadMs: 10_000,
    loadLeftMs: 0,
    sizeBytes: GIB,
    warmElsewhere: false,
    ...fields,
  };
}

function facts(wanted: Partial<ModelAtHost>, fields: Partial<HostFacts> = {}): HostFacts {
  return {
    wanted: model(wanted),
    others: [],
    parallel: 1,
    weight: 1,
    modelLimit: 3,
    memoryBytes: undefined,
    ...fields,
  };
}

test('an idle host with the model loaded costs nothing, and a free slot is one', () => {
  assert.equal(placementCost(facts({})), 0);
  assert.equal(placementCost(facts({ claims: 3 }, { parallel: 4 })), 0);
  assert.ok(placementCost(facts({ claims: 4 }, { parallel: 4 })) > 0);
});

test('whoever would wait less than two loads waits for the warm host, and not longer', () => {
  const load = placementCost(facts({ state: 'cold' }));
  assert.ok(placementCost(facts({ claims: 19 })) < load);
  assert.ok(placementCost(facts({ claims: 21 })) > load);
  assert.ok(placementCost(facts({ state: 'loading', loadLeftMs: 4_000 })) < load);
});

test('room costs less than an eviction, and one that nobody asks for less than one in demand', () => {
  const others = [model(), model(), model()];
  const cost = (demand: number, more: Partial<ModelAtHost> = {}): number =>
    placementCost(facts({ state: 'cold' }, { others: others.map((one) => ({ ...one, demand, ...more })) }));
  const room = placementCost(facts({ state: 'cold' }, { others: others.slice(1) }));
  assert.ok(room < cost(0.01));
  assert.ok(cost(0.01) < cost(1));
  assert.ok(cost(1) < cost(20));
  assert.ok(cost(20, { warmElsewhere: true }) < cost(20), 'a second copy is spared first');
  assert.ok(cost(1) < cost(1, { claims: 2 }), 'and one in use is waited for');
});

test('what goes is what was used longest ago and is not in use, until count and memory fit', () => {
  const [newest, middle, oldest] = [model({ demand: 9 }), model({ demand: 5 }), model({ demand: 1 })];
  const others = [newest, middle, oldest];
  assert.deepEqual(victimsOf(facts({ state: 'cold' }, { others })), [oldest]);
  const busy = { ...oldest, claims: 1 };
  assert.deepEqual(victimsOf(facts({ state: 'cold' }, { others: [newest, middle, busy] })), [middle]);
  const tight = { others, modelLimit: 9, memoryBytes: 3 * GIB };
  assert.deepEqual(victimsOf(facts({ state: 'cold' }, tight)), [oldest, middle]);
  assert.deepEqual(victimsOf(facts({ state: 'cold' }, { ...tight, memoryBytes: 8 * GIB })), []);
});

test('a faster host may have more waiting, and one that is loading others is not asked to load more', () => {
  const waiting = { claims: 4 };
  assert.equal(placementCost(facts(waiting, { weight: 2 })) * 2, placementCost(facts(waiting)));
  const loading = model({ state: 'loading', loadLeftMs: 7_000 });
  const idle = placementCost(facts({ state: 'cold' }, { others: [model()] }));
  assert.equal(placementCost(facts({ state: 'cold' }, { others: [loading] })), idle + 7_000);
});
