/**
 * `npm run lockfile`: names in the lockfile the optional packages of other platforms that the registry
 * at hand does not have. `npm install` leaves them out where a mirror lacks them, and `npm ci` then
 * refuses the lockfile everywhere. `--check` only tells.
 */
import { readFileSync, writeFileSync } from 'node:fs';

type Entry = {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
type Lockfile = { packages: Record<string, Entry & Record<string, unknown>> };

const FILE = 'package-lock.json';
const SYSTEMS = new Set([
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]);

/** Reads the platform off a package's name: `@oxfmt/binding-linux-x64-musl`. */
function platformOf(name: string): Record<string, unknown> {
  const parts = (name.split('/').at(-1) ?? '').split('-');
  // WebAssembly runs on every system: npm tells it by its processor alone.
  if (parts.includes('wasm32')) return { cpu: ['wasm32'], optional: true };
  const at = parts.findIndex((part) => SYSTEMS.has(part));
  const [system, processor, variant] = parts.slice(at);
  if (at === -1 || system === undefined || processor === undefined) {
    throw new Error(`${name} does not name its platform; add it to ${FILE} by hand`);
  }
  const libc =
    system === 'linux' && variant !== undefined
      ? { libc: [variant.includes('musl') ? 'musl' : 'glibc'] }
      : {};
  return { cpu: [processor], ...libc, optional: true, os: [system] };
}

const lockfile = JSON.parse(readFileSync(FILE, 'utf8')) as Lockfile;
const missing = Object.entries(lockfile.packages).flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(
      ([name]) =>
        !(`node_modules/${name}` in lockfile.packages || `${path}/node_modules/${name}` in lockfile.packages),
    )
    .map(([name, version]) => ({ name, version, dev: entry.dev === true })),
);

if (missing.length > 0 && process.argv.includes('--check')) {
  process.stderr.write(
    `${FILE} lacks ${missing.length} optional packages of other platforms; run npm run lockfile\n`,
  );
  process.exitCode = 1;
} else if (missing.length > 0) {
  for (const { name, version, dev } of missing) {
    lockfile.packages[`node_modules/${name}`] = { version, ...(dev ? { dev } : {}), ...platformOf(name) };
  }
  const sorted = Object.entries(lockfile.packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(
    FILE,
    `${JSON.stringify({ ...lockfile, packages: Object.fromEntries(sorted) }, undefined, 2)}\n`,
  );
  process.stdout.write(`${missing.length} optional packages named\n`);
}
