import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { QueuedRequest } from '../../providers/chat.ts';
import { ObeliskError } from '../../shared/errors.ts';
import { SlotQueue } from './queue.ts';
import type { QueueEntry, QueueLimits, Slot } from './queue.ts';

const LIMITS: QueueLimits = { parallel: 1, queueLimit: 10 };

type Setting = {
  readonly queue: SlotQueue;
  readonly clock: { nowMs: number; loadLeftMs: number };
  /** Clients in the order in which they were served. */
  readonly served: string[];
  enter(client: string, more?: Partial<QueueEntry>): Promise<Slot>;
};

function setting(): Setting {
  const clock = { nowMs: 0, loadLeftMs: 0 };
  const queue = new SlotQueue({
    name: 'tiny at ollama http://host',
    nowMs: () => clock.nowMs,
    loadLeftMs: () => clock.loadLeftMs,
  });
  const served: string[] = [];
  return {
    queue,
    clock,
    served,
    async enter(client, more = {}) {
      const { signal } = new AbortController();
      const slot = await queue.enter({ client, limits: LIMITS, signal, patienceMs: 60_000, ...more });
      served.push(client);
      return slot;
    },
  };
}

/** Gives every slot back as soon as it is there, until nobody waits. */
async function serveAll(slots: readonly Promise<Slot>[]): Promise<void> {
  await Promise.all(slots.map(async (slot) => (await slot).release()));
}

test('as many pass as the host serves at once, the others wait', async () => {
  const { queue, enter, served } = setting();
  const limits = { parallel: 2, queueLimit: 10 };
  const [first] = await Promise.all([enter('a', { limits }), enter('b', { limits })]);
  const third = enter('c', { limits });
  assert.deepEqual([queue.inFlight, queue.queued], [2, 1]);
  assert.deepEqual(served, ['a', 'b']);
  first.release();
  first.release();
  await third;
  assert.deepEqual([queue.inFlight, queue.queued], [2, 0], 'and a slot is given back once');
});

test('clients take turns, whoever has many requests', async () => {
  const { enter, served } = setting();
  const running = await enter('greedy');
  const waiting = ['greedy', 'greedy', 'greedy', 'b', 'b', 'c'].map((client) => enter(client));
  running.release();
  await serveAll(waiting);
  assert.deepEqual(served, ['greedy', 'greedy', 'b', 'c', 'greedy', 'b', 'greedy']);
});

test('the position is the turn in which a request will be served', async () => {
  const { enter } = setting();
  const running = await enter('x');
  const places: [string, QueuedRequest][] = [];
  const order: string[] = [];
  const waiting = ['a1', 'a2', 'b1', 'c1', 'b2', 'a3'].map(async (name) => {
    const slot = await enter(name.slice(0, 1), { onQueued: (queued) => places.push([name, queued]) });
    order.push(name);
    return slot;
  });
  const told = places.map(([name, queued]) => [name, queued.place()?.position] as const);
  running.release();
  await serveAll(waiting);
  assert.deepEqual(
    told.toSorted((a, b) => Number(a[1]) - Number(b[1])).map(([name]) => name),
    order,
  );
  assert.deepEqual(new Set(told.map(([, position]) => position)), new Set([1, 2, 3, 4, 5, 6]));
  assert.equal(places[0]?.[1].place(), undefined, 'whoever is served has no place');
});

test('the wait is reckoned from what answers took and from a load that is under way', async () => {
  const { queue, enter, clock } = setting();
  assert.equal(queue.expectedWaitMs(LIMITS), 0);
  const first = await enter('a');
  assert.equal(queue.expectedWaitMs(), undefined, 'nothing was measured yet');
  first.release({ workMs: 1_000 });
  const second = await enter('a');
  clock.nowMs = 400;
  let queued: QueuedRequest | undefined;
  const waiting = [enter('a'), enter('b', { onQueued: (one) => (queued = one) })];
  assert.deepEqual(queued?.place(), { position: 2, waitMs: 1_600 });
  assert.equal(queue.expectedWaitMs(), 2_600);
  clock.loadLeftMs = 5_000;
  assert.deepEqual(queued?.place(), { position: 2, waitMs: 6_600 });
  second.release();
  await serveAll(waiting);
  assert.equal(queue.queued, 0);
});

test('a full queue refuses, saying when there is room', async () => {
  const { queue, enter } = setting();
  (await enter('a')).release({ workMs: 2_500 });
  const running = await enter('a');
  const limits = { parallel: 1, queueLimit: 1 };
  const waiting = enter('a', { limits });
  await assert.rejects(enter('a', { limits }), {
    code: 'overloaded',
    status: 503,
    retryAfter: 3,
    message: /tiny at ollama http:\/\/host has 1 requests in work and 1 waiting/,
  });
  assert.equal(queue.refused, 1);
  running.release();
  (await waiting).release();
  const none = { parallel: 1, queueLimit: 0 };
  const only = await enter('a', { limits: none });
  await assert.rejects(enter('b', { limits: none }), { code: 'overloaded' });
  only.release();
});

test('whoever fills the queue makes room for a client that has less of it', async () => {
  const { enter, queue } = setting();
  const limits = { parallel: 1, queueLimit: 3 };
  const running = await enter('greedy', { limits });
  const greedy = [1, 2, 3].map(() => enter('greedy', { limits }));
  const outcomes = Promise.allSettled(greedy);
  const other = enter('b', { limits });
  const second = enter('b', { limits });
  await assert.rejects(second, { code: 'overloaded' }, 'but not more than its share');
  assert.equal(queue.queued, 3);
  running.release();
  await serveAll([...greedy.slice(0, 2), other]);
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
});

test('whoever goes away or has waited for all its time leaves the queue', async () => {
  const { enter, queue } = setting();
  const running = await enter('a');
  const leaving = new AbortController();
  const gone = enter('b', { signal: leaving.signal });
  leaving.abort(new Error('gone'));
  await assert.rejects(gone, /gone/);
  await assert.rejects(enter('c', { patienceMs: 1 }), {
    code: 'overloaded',
    message: /did not come to the request in/,
  });
  assert.equal(queue.queued, 0);
  await assert.rejects(enter('d', { signal: leaving.signal }), /gone/);
  running.release();
  (await enter('e')).release();
});

test('another number of slots counts from the next request on', async () => {
  const { enter, queue } = setting();
  await enter('a');
  const waiting = enter('b');
  await enter('c', { limits: { parallel: 3, queueLimit: 10 } });
  await waiting;
  assert.equal(queue.inFlight, 3);
});

const UNKNOWN: QueueLimits = { parallel: 1, queueLimit: 10, findsOut: true };

test('a host that nobody has configured is found to serve as many at once as it shows', async () => {
  const { queue, enter, clock } = setting();
  const limits = UNKNOWN;
  const first = await enter('a', { limits });
  const second = await enter('a', { limits });
  assert.deepEqual([queue.inFlight, queue.parallel], [2, 1], 'one more is sent');
  const third = enter('a', { limits });
  assert.equal(queue.queued, 1, 'and no further one until that has shown something');
  clock.nowMs = 50;
  first.answered();
  second.answered();
  clock.nowMs = 100;
  first.release({ workMs: 100, totalMs: 100 });
  assert.equal(queue.parallel, 1, 'the second may have been done as well before its first word was read');
  second.release({ workMs: 100, totalMs: 99 });
  assert.deepEqual([queue.inFlight, queue.parallel], [1, 2], 'both were in work at that word');
  assert.equal(queue.foundParallel, 2);
  const [one, another] = [await third, await enter('a', { limits })];
  one.answered();
  const more = await enter('a', { limits });
  assert.equal(queue.inFlight, 3);
  clock.nowMs = 150;
  another.answered();
  more.answered();
  clock.nowMs = 200;
  one.release({ workMs: 100, totalMs: 40 });
  assert.equal(queue.parallel, 2, 'it ended at the host before that word, whenever it was read');
  const waiting = [enter('a', { limits }), enter('a', { limits })];
  assert.deepEqual([queue.inFlight, queue.queued], [2, 2], 'and it is not tried again at once');
  queue.giveUp(new ObeliskError('upstream_unreachable', 'away'));
  for (const left of waiting) await assert.rejects(left, { code: 'upstream_unreachable' });
  assert.deepEqual([queue.queued, queue.parallel], [0, 1], 'what was found out is forgotten with the host');
});

test('one that overtakes another at the host proves nothing', async () => {
  const { queue, enter, clock } = setting();
  const limits = UNKNOWN;
  const first = await enter('a', { limits });
  const overtaking = await enter('a', { limits });
  clock.nowMs = 50;
  overtaking.answered();
  clock.nowMs = 100;
  overtaking.release({ workMs: 100, totalMs: 100 });
  first.answered();
  clock.nowMs = 200;
  first.release({ workMs: 200, totalMs: 200 });
  assert.equal(queue.parallel, 1);
});

test('a request that is left shows nothing, and a load is no time to try', async () => {
  const { queue, enter, clock } = setting();
  const limits = UNKNOWN;
  clock.loadLeftMs = 500;
  const first = await enter('a', { limits });
  const second = enter('a', { limits });
  assert.equal(queue.inFlight, 1);
  clock.loadLeftMs = 0;
  const third = enter('a', { limits });
  assert.equal(queue.inFlight, 2);
  first.answered();
  (await second).answered();
  first.release();
  await third;
  assert.deepEqual([queue.inFlight, queue.parallel], [2, 1]);
});
