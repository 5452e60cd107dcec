import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignLoad, pacedReason, noise, voidReason } from './verdicts.ts';
import type { Usage } from './verdicts.ts';

const QUIET: Usage = {
  programBusy: 0.99,
  programCore: 1,
  loaderCore: 0.6,
  foreign: 0.005,
  foreignTicks: 0.01,
  steal: 0,
};

test('a quiet round in which the measured program was busy counts', () => {
  assert.equal(foreignLoad(QUIET, true), undefined);
  assert.equal(voidReason(QUIET), undefined);
});

test('a round beside other programs is repeated, and the reason says how much they used', () => {
  assert.match(foreignLoad({ ...QUIET, foreign: 0.2 }, true) ?? '', /20 % of a core/);
  assert.match(foreignLoad({ ...QUIET, steal: 0.1 }, true) ?? '', /hypervisor/);
});

test('busy time that belongs to nobody counts where cores are busy all the time, and only there', () => {
  const vanished = { ...QUIET, foreignTicks: 0.2 };
  assert.match(foreignLoad(vanished, true) ?? '', /nobody/);
  assert.equal(foreignLoad(vanished, false), undefined);
});

test('the round with the least of others is the least noisy', () => {
  assert.ok(noise({ ...QUIET, foreign: 0.04 }) < noise({ ...QUIET, foreign: 0.02, steal: 0.05 }));
});

test('a throughput is void when the measured program waited for the loader', () => {
  const waiting = { programBusy: 0.92, programCore: 0.93, loaderCore: 1 };
  assert.match(voidReason(waiting) ?? '', /92 % busy.*loader's 100 %/);
});

test('a program that was kept from its core by others is void however busy that core was', () => {
  assert.notEqual(voidReason({ programBusy: 0.5, programCore: 1, loaderCore: 0.4 }), undefined);
});

test('a paced measurement is void when its loader had no time left', () => {
  assert.equal(pacedReason({ loaderCore: 0.7 }, 0.98), undefined);
  assert.match(pacedReason({ loaderCore: 0.97 }, 0.98) ?? '', /97 % busy/);
});

test('a program that does not keep up with the pace has no figure for one event', () => {
  assert.match(pacedReason({ loaderCore: 0.5 }, 0.6) ?? '', /only 60 % of the events/);
});
