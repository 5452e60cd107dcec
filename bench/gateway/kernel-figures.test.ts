import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  everyRunMicros,
  familyOf,
  parseCoreTicks,
  parseParent,
  parseResidentKib,
  parseRunMicros,
  residentKib,
  runMicros,
} from './kernel-figures.ts';

const STAT = `cpu  300 10 200 5000 40 5 15 7 3 0
cpu0 100 4 100 2500 20 2 5 3 3 0
cpu1 200 6 100 2500 20 3 10 4 0 0
intr 12345 0 1
ctxt 999
`;

test('a core is busy with everything but idling and what the hypervisor took', () => {
  const cores = parseCoreTicks(STAT);
  assert.deepEqual([...cores.keys()], [0, 1]);
  assert.deepEqual(cores.get(0), { busy: 211, steal: 3, all: 2_734 });
  assert.deepEqual(cores.get(1), { busy: 319, steal: 4, all: 2_843 });
});

test('guest time is not counted a second time: it is user time already', () => {
  const without = parseCoreTicks('cpu0 100 0 0 0 0 0 0 0 0 0\n').get(0);
  assert.deepEqual(parseCoreTicks('cpu0 100 0 0 0 0 0 0 0 60 0\n').get(0), without);
});

test('a schedstat gives the time a task ran in microseconds', () => {
  assert.equal(parseRunMicros('857612000 1200 31\n'), 857_612);
});

test('what is not a schedstat is refused, not read as zero', () => {
  assert.throws(() => parseRunMicros(''), /not the text of a schedstat/);
  assert.throws(() => parseRunMicros('cpu0 1 2 3'), /not the text of a schedstat/);
});

test('the parent of a process is found behind a command with spaces and brackets', () => {
  assert.equal(parseParent('4711 (a (b) c) R 42 4711 1 0'), 42);
});

test('a process without resident memory has none', () => {
  assert.equal(parseResidentKib('Name:\tx\nVmRSS:\t   67584 kB\nThreads:\t1\n'), 67_584);
  assert.equal(parseResidentKib('Name:\tkthreadd\nThreads:\t1\n'), 0);
});

test(
  'this process, its child and what both have used are found',
  { skip: process.platform !== 'linux' },
  async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    try {
      await once(child, 'spawn');
      const pid = child.pid ?? 0;
      assert.ok(familyOf(process.pid).has(pid));
      assert.ok(!familyOf(pid).has(process.pid));
      assert.ok(runMicros(process.pid) > 0);
      assert.ok((everyRunMicros().get(process.pid) ?? 0) > 0);
      assert.ok(residentKib(process.pid) > 10_000);
      assert.equal(runMicros(2 ** 30), 0);
    } finally {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
  },
);
