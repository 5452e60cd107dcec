/**
 * `npm run bench`: what the gateway costs beside nginx and a direct call in the same run, and what
 * the index costs on a synthetic vault. Prints figures and never judges them. `gateway` or `index`
 * as argument runs one part.
 */
import { spawnSync } from 'node:child_process';

const PARTS: Readonly<Record<string, string>> = {
  gateway: 'bench/gateway/run.ts',
  index: 'bench/index.ts',
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => PARTS[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no part "${unknown}"; there are ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(2);
}
for (const name of wanted.length === 0 ? Object.keys(PARTS) : wanted) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [PARTS[name] ?? ''], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
