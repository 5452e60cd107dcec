import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';

/** Which folders of `src/` a folder may import from, besides itself. Arrows only point down. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  telemetry: ['shared'],
  config: ['shared'],
  life: ['shared', 'telemetry'],
  store: ['shared'],
  vault: ['shared'],
  wire: ['shared', 'telemetry'],
  providers: ['shared', 'wire'],
  ollama: ['shared', 'telemetry', 'store', 'wire', 'providers'],
  router: ['shared', 'telemetry', 'config', 'wire', 'providers', 'ollama'],
  rag: ['shared', 'telemetry', 'config', 'store', 'vault', 'providers'],
  site: ['shared', 'wire', 'vault', 'rag'],
  gateway: ['shared', 'telemetry', 'config', 'wire', 'providers', 'ollama', 'router', 'vault', 'rag', 'site'],
};

/** Which rooms of `src/ollama/` a room may import from, besides itself and `HALL`: rooms above it only. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  api: [],
  environment: [],
  create: ['api'],
  jobs: ['api', 'create'],
  queue: ['api'],
  fleet: ['api', 'queue'],
  placement: ['fleet', 'queue'],
  profiles: ['fleet', 'queue'],
  tune: ['api', 'fleet', 'queue'],
};

/** Files of the folder that rooms may import: the contract of the management, which imports no room but `api`. */
const HALL: readonly string[] = [
  'control-events',
  'control-plane',
  'control-plane-requests',
  'control-plane-schema',
];

/** Files at the top of `src/` build the object graph and may see everything but the command line. */
const ROOT = Object.keys(MAY_IMPORT);

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g;

function folderOf(file: string): string {
  const parts = file.split('/');
  return parts.length === 2 ? '' : (parts[1] ?? '');
}

test('every import between folders of src/ is in the import table', () => {
  const wrong: string[] = [];
  const files = globSync('src/**/*.ts').map((file) => file.replaceAll('\\', '/'));
  assert.ok(files.length > 20, 'the sources were found');
  for (const file of files) {
    const from = folderOf(file);
    const allowed = from === '' ? ROOT : from === 'cli' ? [...ROOT, ''] : MAY_IMPORT[from];
    assert.ok(allowed, `src/${from} is not in the import table`);
    for (const match of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? '';
      if (!specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(file), specifier);
      // Tests share their upstreams and programs in test/, which sources never see.
      if (target.startsWith('test/') && file.endsWith('.test.ts')) continue;
      const to = folderOf(target);
      if (to !== from && !allowed.includes(to)) wrong.push(`${file} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** Room of a file of `src/ollama/`, or the name of a file that is in none. */
function placeOf(file: string): string {
  return (file.split('/')[2] ?? '').replace(/\.ts$/, '');
}

test('every import between rooms of src/ollama/ is in the table of rooms', () => {
  const wrong: string[] = [];
  const hall = HALL.map((name) => `src/ollama/${name}.ts`);
  const files = [...globSync('src/ollama/*/*.ts').map((file) => file.replaceAll('\\', '/')), ...hall];
  assert.ok(files.length > 20, 'the rooms were found');
  // Tests put rooms together as they need them.
  for (const file of files.filter((one) => !one.endsWith('.test.ts'))) {
    const from = placeOf(file);
    const rooms = HALL.includes(from) ? ['api'] : ROOMS[from];
    assert.ok(rooms, `src/ollama/${from} is not in the table of rooms`);
    const allowed = new Set([from, ...rooms, ...HALL]);
    for (const match of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? '';
      if (!specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(file), specifier);
      if (!target.startsWith('src/ollama/') || allowed.has(placeOf(target))) continue;
      wrong.push(`${file} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the table of rooms has one direction: no room leads back to itself', () => {
  const above = new Set<string>();
  for (const [room, allowed] of Object.entries(ROOMS)) {
    for (const other of allowed) assert.ok(above.has(other), `${room} stands above ${other}`);
    above.add(room);
  }
});

test('waivers of lint rules only become fewer', () => {
  const waivers = globSync('src/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/oxlint-disable[^\n]*/g)].map((match) => `${file}: ${match[0]}`),
  );
  for (const waiver of waivers) assert.match(waiver, / -- \S+/, 'a waiver says why');
  assert.ok(waivers.length <= 0, waivers.join('\n'));
});

test('no package runs an install script but the one that brings the pinned Node', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; resolved?: string }>;
  };
  const entries = Object.entries(lock.packages);
  assert.ok(entries.length > 20, 'the lockfile was read');
  const scripted = entries.filter(([, entry]) => entry.hasInstallScript === true).map(([name]) => name);
  assert.deepEqual(scripted, ['node_modules/node']);
  assert.deepEqual(
    entries.filter(([, entry]) => entry.resolved !== undefined),
    [],
  );
});
