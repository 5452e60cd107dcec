/**
 * `npm run test:properties -- --seconds 600`: the property tests again and again, with a new seed each
 * time, until one fails or the time is over. `--seed` repeats a run.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { TEST_OPTIONS } from './test-options.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds ?? 60);
const first = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isFinite(seconds) || !Number.isInteger(first)) {
  throw new TypeError('--seconds and --seed are numbers');
}

const files = globSync('src/**/*.test.ts').filter((file) =>
  readFileSync(file, 'utf8').includes('fc.assert('),
);
const end = performance.now() + seconds * 1_000;
let seed = first;
do {
  const env = { ...process.env, PROPERTY_SEED: String(seed) };
  const run = spawnSync(process.execPath, [...TEST_OPTIONS, ...files], { env, encoding: 'utf8' });
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout}${run.stderr}\nfailed with --seed ${seed}\n`);
    process.exitCode = 1;
    break;
  }
  seed += 1;
} while (performance.now() < end && values.seed === undefined);
if (process.exitCode === undefined)
  console.log(`${files.length} files, seeds ${first} to ${seed - 1}: all hold`);
