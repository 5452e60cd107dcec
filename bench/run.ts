/**
 * `npm run bench`: what the gateway costs beside its peers in the same run, and what the index costs
 * on a synthetic vault. Prints figures and never judges by them. The first argument chooses a part;
 * the rest goes to it.
 */
import { spawnSync } from 'node:child_process';

const PARTS: Readonly<Record<string, string>> = {
  bodies: 'bench/bodies.ts',
  gateway: 'bench/gateway/run.ts',
  index: 'bench/index.ts',
  placement: 'bench/placement.ts',
  profile: 'bench/profile.ts',
  soak: 'bench/soak.ts',
};

/** What runs without an argument: the parts that compare, each with its own defaults. */
const DEFAULT_PARTS = ['gateway', 'index'];

const [name, ...rest] = process.argv.slice(2);
if (name !== undefined && PARTS[name] === undefined) {
  process.stderr.write(`bench: there is no part "${name}"; there are ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(2);
}
for (const part of name === undefined ? DEFAULT_PARTS : [name]) {
  process.stdout.write(`\n== ${part}\n`);
  const { status } = spawnSync(process.execPath, [PARTS[part] ?? '', ...rest], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
