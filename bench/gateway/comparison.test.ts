import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeOf, summaryOf } from './comparison.ts';
import { report } from './report.ts';
import type { Results, Round } from './results.ts';
import { TARGETS } from './targets.ts';

const round = (program: string, number: number, rest: Partial<Round> & { readonly value: number }): Round => {
  const { value, ...others } = rest;
  return {
    scenario: 'json-1k',
    program,
    round: number,
    at: '2000-01-01T00:00:00.000Z',
    tries: 1,
    figures: { requestsPerSecond: value },
    ...others,
  };
};

const results = (...rounds: readonly Round[]): Results => ({
  format: 1,
  started: '2000-01-01T00:00:00.000Z',
  machine: { processor: 'a processor' },
  versions: { nginx: '1.0' },
  commit: 'abc',
  settings: { rounds: 3 },
  skipped: { litellm: 'install it' },
  rounds,
});

const target = TARGETS.find(({ scenario, other }) => scenario === 'json-1k' && other === 'nginx');
assert.ok(target);

test('programs are compared round by round, so that a machine that slows down disturbs no ratio', () => {
  const found = results(
    round('nginx', 1, { value: 80_000 }),
    round('codec', 1, { value: 60_000 }),
    round('nginx', 2, { value: 40_000 }),
    round('codec', 2, { value: 30_000 }),
  );
  assert.deepEqual(outcomeOf(found, target, 'codec'), { value: 0.75, verdict: 'aim' });
});

test('a target between floor and aim, and one below its floor, say so', () => {
  const at = (value: number): string | undefined =>
    outcomeOf(results(round('nginx', 1, { value: 100 }), round('codec', 1, { value })), target, 'codec')
      ?.verdict;
  assert.deepEqual([at(75), at(74), at(50), at(49)], ['aim', 'floor', 'floor', 'missed']);
});

test('a comparison is void when no round of one side counts', () => {
  const found = results(
    round('nginx', 1, { value: 100, void: 'the program was 80 % busy' }),
    round('codec', 1, { value: 90 }),
  );
  const outcome = outcomeOf(found, target, 'codec');
  assert.equal(outcome?.verdict, 'void');
  assert.equal(outcome?.reason, 'nginx: the program was 80 % busy');
  const more = results(...found.rounds, round('nginx', 2, { value: 200 }), round('codec', 2, { value: 150 }));
  assert.deepEqual(outcomeOf(more, target, 'codec'), { value: 0.75, verdict: 'aim' });
});

test('a figure that the reason for a void round does not touch keeps its verdict', () => {
  const memory = TARGETS.find(({ figure }) => figure === 'kibPerStream');
  assert.ok(memory);
  const burst = { scenario: 'burst', void: 'the queue of new ones was full', figures: { kibPerStream: 15 } };
  const found = results(round('codec', 1, { value: 0, ...burst }));
  assert.deepEqual(outcomeOf(found, memory, 'codec'), { value: 15, verdict: 'floor' });
});

test('programs without a round in common are compared by their medians', () => {
  const found = results(
    round('nginx', 1, { value: 100 }),
    round('nginx', 2, { value: 10, noisy: 'others' }),
    round('codec', 1, { value: 10, noisy: 'others' }),
    round('codec', 2, { value: 60 }),
  );
  assert.deepEqual(outcomeOf(found, target, 'codec'), { value: 0.6, verdict: 'floor' });
});

test('disturbed rounds count only when there is no other, and then never reach a target', () => {
  const mixed = results(
    round('nginx', 1, { value: 100 }),
    round('codec', 1, { value: 10, noisy: 'others' }),
    round('nginx', 2, { value: 100 }),
    round('codec', 2, { value: 80 }),
  );
  assert.deepEqual(outcomeOf(mixed, target, 'codec'), { value: 0.8, verdict: 'aim' });
  assert.equal(
    summaryOf(mixed, { scenario: 'json-1k', program: 'codec', figure: 'requestsPerSecond' })?.rounds,
    1,
  );
  const noisy = results(round('nginx', 1, { value: 100 }), round('codec', 1, { value: 90, noisy: 'others' }));
  assert.equal(outcomeOf(noisy, target, 'codec')?.verdict, 'noisy');
});

test('a program that failed is told as failed, in its row and at its target', () => {
  const failed = { ...round('codec', 1, { value: 0, failed: 'requests failed: 3 status' }), figures: {} };
  const found = results(round('nginx', 1, { value: 100 }), failed);
  assert.equal(outcomeOf(found, target, 'codec')?.verdict, 'failed');
  const text = report(found);
  assert.match(text, /^codec .*FAILED: requests failed: 3 status$/m);
  assert.match(text, /÷ nginx +codec +– .*FAILED: requests failed: 3 status/);
});

test('what was not measured has no outcome', () => {
  assert.equal(outcomeOf(results(round('codec', 1, { value: 1 })), target, 'codec'), undefined);
  assert.equal(outcomeOf(results(), target, 'codec'), undefined);
});

test('a report names what is missing, what is void, and each target with its verdict', () => {
  const text = report(
    results(
      round('nginx', 1, { value: 80_000, void: 'the program was 80 % busy' }),
      round('codec', 1, { value: 44_000 }),
    ),
  );
  assert.match(text, /not measured: litellm; install it/);
  assert.match(text, /^nginx .*80000.*VOID: the program was 80 % busy$/m);
  assert.match(text, /^codec .*44000.* 0\.55 /m);
  assert.match(text, /throughput ÷ nginx +codec +0\.55 × +0\.5 × +0\.75 × +VOID/);
});
