/**
 * `npm run test:fuzz -- --seconds 60`: new seeds for that long (or for FUZZ_SECONDS), and the smallest
 * input found on which the codec and Node disagree. `--seed` repeats a run.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Campaign } from './campaign.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds ?? process.env['FUZZ_SECONDS'] ?? 0);
const first = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isFinite(seconds) || !Number.isInteger(first)) {
  throw new TypeError('--seconds and --seed are numbers');
}

const campaign = new Campaign();
const end = performance.now() + seconds * 1_000;
let cases = 0;
let seed = first;
for (; performance.now() < end; seed += 1) {
  const report = await campaign.round(seed);
  cases += report.cases;
  if (report.disagreement === undefined) continue;
  const { fuzzCase, difference } = report.disagreement;
  console.error(`the codec and Node disagree (seed ${seed}): ${difference}\n${JSON.stringify(fuzzCase)}`);
  process.exitCode = 1;
  break;
}
if (seconds > 0) console.log(`${cases} cases, seeds ${first} to ${seed - 1}`);
