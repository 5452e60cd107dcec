import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import type { Job, JobSpec } from '../control-plane.ts';
import { hasEnded } from './follow-job.ts';
import { createEntry, nextToRun } from './job-entry.ts';
import type { JobEntry } from './job-entry.ts';

const WIDTHS: Readonly<Record<JobSpec['kind'], readonly [lane: string, width: number]>> = {
  pull: ['transfer', 3],
  push: ['transfer', 3],
  create: ['create', 1],
  load: ['load', 2],
};

const asked = fc.record({
  kind: fc.constantFrom('pull', 'push', 'create', 'load'),
  model: fc.constantFrom('a', 'A:latest', 'b', 'c', 'd'),
  host: fc.constantFrom('one', 'two'),
});

type Asked = { readonly kind: JobSpec['kind']; readonly model: string; readonly host: string };

function entryOf({ kind, model, host }: Asked, index: number): JobEntry {
  const spec: JobSpec = kind === 'create' ? { kind, model, source: {} } : { kind, model };
  const progress = { status: '', layers: [] };
  return createEntry(
    { id: `job_${index}`, spec, host, state: 'queued', attempts: 0, createdMs: index, progress },
    false,
  );
}

const placeOf = ({ job }: JobEntry): string =>
  `${job.host} ${job.spec.model.toLowerCase().replace(':latest', '')}`;
const laneOf = ({ job }: JobEntry): string => `${job.host} ${WIDTHS[job.spec.kind][0]}`;
const endOf = (job: Job): Job => ({ ...job, state: 'done' });

function requireRules(entries: readonly JobEntry[]): void {
  const running = entries.filter(({ stop, job }) => stop !== undefined && !hasEnded(job));
  assert.equal(new Set(running.map(placeOf)).size, running.length, 'one job on a model of a host');
  for (const entry of running) {
    const abreast = running.filter((other) => laneOf(other) === laneOf(entry)).length;
    assert.ok(abreast <= WIDTHS[entry.job.spec.kind][1], `${abreast} in ${laneOf(entry)}`);
    const earlier = entries.filter(
      (other) => other.job.createdMs < entry.job.createdMs && !hasEnded(other.job),
    );
    assert.ok(!earlier.some((other) => placeOf(other) === placeOf(entry)), 'nobody overtakes on a model');
  }
}

test('whatever is asked in whatever order it ends, jobs run within bounds and all get their turn', () => {
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 25 }), fc.infiniteStream(fc.nat()), (all, choices) => {
      const entries = all.map(entryOf);
      for (let rounds = 0; entries.some(({ job }) => !hasEnded(job)); rounds += 1) {
        assert.ok(rounds <= entries.length, 'somebody waits for ever');
        for (const entry of nextToRun(entries)) entry.stop = new AbortController();
        requireRules(entries);
        const running = entries.filter(({ stop }) => stop !== undefined);
        assert.ok(running.length > 0, 'nobody runs');
        const chosen = running[(choices.next().value ?? 0) % running.length];
        assert.ok(chosen);
        chosen.job = endOf(chosen.job);
        chosen.stop = undefined;
      }
    }),
  );
});

test('a job that was cancelled holds its model until its run has let go of it', () => {
  const [first, second] = [
    entryOf({ kind: 'create', model: 'a', host: 'one' }, 1),
    entryOf({ kind: 'create', model: 'b', host: 'one' }, 2),
  ];
  const again = entryOf({ kind: 'create', model: 'a', host: 'one' }, 3);
  first.stop = new AbortController();
  first.job = { ...first.job, state: 'cancelled' };
  assert.deepEqual(nextToRun([first, second, again]), []);
  first.stop = undefined;
  assert.deepEqual(nextToRun([first, second, again]), [second]);
});
