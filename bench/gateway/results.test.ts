import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ResultFile } from './results.ts';
import type { Results, Round } from './results.ts';

const directory = mkdtempSync(join(tmpdir(), 'obelisk-results-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const VERSIONS = { nginx: '1.0', codec: '24.0' };

const EMPTY: Results = {
  format: 1,
  started: '2000-01-01T00:00:00.000Z',
  machine: { cores: 2 },
  versions: VERSIONS,
  commit: 'abc',
  settings: { rounds: 3 },
  skipped: {},
  rounds: [],
};

const ROUND: Round = { scenario: 's', program: 'p', round: 1, at: '', tries: 1, figures: { a: 1 } };

test('an interrupted run goes on from the rounds in its file', () => {
  const path = join(directory, 'new folder', 'resumed.json');
  ResultFile.open(EMPTY, path).add(ROUND);
  const again = ResultFile.open({ ...EMPTY, started: '2001-01-01T00:00:00.000Z' }, path);
  assert.ok(again.has(ROUND));
  assert.ok(!again.has({ ...ROUND, round: 2 }));
  assert.equal(again.results.started, EMPTY.started);
  again.add({ ...ROUND, round: 2 });
  assert.equal(ResultFile.open(EMPTY, path).results.rounds.length, 2);
});

test('a round that failed is measured again, in place of what failed', () => {
  const file = ResultFile.open(EMPTY, undefined);
  file.add({ ...ROUND, failed: 'it did not start', figures: {} });
  assert.ok(!file.has(ROUND));
  file.add(ROUND);
  assert.deepEqual(file.results.rounds, [ROUND]);
});

test('results of another commit, machine or setting do not mix', () => {
  const path = join(directory, 'kept.json');
  ResultFile.open(EMPTY, path).add(ROUND);
  const others: readonly Partial<Results>[] = [
    { commit: 'def' },
    { machine: { cores: 4 } },
    { settings: { rounds: 5 } },
    { versions: { nginx: '2.0' } },
  ];
  for (const other of others)
    assert.throws(() => ResultFile.open({ ...EMPTY, ...other }, path), /--out.*--fresh/);
});

test('a program may join what was measured without it', () => {
  const path = join(directory, 'joined.json');
  ResultFile.open(EMPTY, path).add(ROUND);
  const joined = ResultFile.open({ ...EMPTY, versions: { nginx: '1.0', haproxy: '2.6' } }, path);
  assert.deepEqual({ ...joined.results.versions }, { ...VERSIONS, haproxy: '2.6' });
});
