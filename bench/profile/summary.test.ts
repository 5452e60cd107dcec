import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupName, moduleName, summarise } from './summary.ts';
import type { CpuProfile } from './summary.ts';

const ROOT = '/home/someone/obelisk';

const frame = (functionName: string, url: string): CpuProfile['nodes'][number]['callFrame'] => ({
  functionName,
  url,
  lineNumber: 9,
});

/** (root) → outer (ours) → inner (ours) → write (native); and idle. Samples every 100 µs from 1,000. */
const PROFILE: CpuProfile = {
  startTime: 1_000,
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2, 5] },
    { id: 2, callFrame: frame('outer', `file://${ROOT}/src/wire/a.ts`), children: [3] },
    { id: 3, callFrame: frame('inner', `file://${ROOT}/src/gateway/b.ts`), children: [4] },
    { id: 4, callFrame: frame('write', '') },
    { id: 5, callFrame: frame('(idle)', '') },
  ],
  samples: [2, 3, 4, 4, 5, 2],
  timeDeltas: [0, 100, 100, 100, 100, 100],
};

test('self time goes to the function that ran, and time with all it calls to every caller of ours', () => {
  const summary = summarise(PROFILE, { from: 0, to: 10_000, root: ROOT });
  assert.deepEqual(summary.functions, [
    { name: 'write  native', micros: 200 },
    { name: 'outer  src/wire/a.ts:10', micros: 100 },
    { name: 'inner  src/gateway/b.ts:10', micros: 100 },
  ]);
  assert.deepEqual(summary.totals, [
    { name: 'outer  src/wire/a.ts:10', micros: 400 },
    { name: 'inner  src/gateway/b.ts:10', micros: 300 },
  ]);
  assert.equal(summary.busyMicros, 400);
  assert.equal(summary.idleMicros, 100);
});

test('what lies outside the window is not counted', () => {
  const summary = summarise(PROFILE, { from: 1_150, to: 1_250, root: ROOT });
  assert.deepEqual(summary.functions, [{ name: 'write  native', micros: 100 }]);
});

test('a module is named as a path of the repository, a package, or a module of Node', () => {
  assert.equal(moduleName(`file://${ROOT}/src/wire/http.ts`, ROOT), 'src/wire/http.ts');
  assert.equal(moduleName(`file://${ROOT}/node_modules/yaml/dist/index.js`, ROOT), 'yaml/dist/index.js');
  assert.equal(moduleName('node:net', ROOT), 'node:net');
  assert.equal(groupName('src/wire/http.ts'), 'src/wire');
  assert.equal(groupName('node:internal/streams/readable'), 'node:internal/streams');
});
