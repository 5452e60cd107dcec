/**
 * `npm run bench`: what the gateway costs beside its peers in the same run, and what the index costs
 * on a synthetic vault. Prints figures and never judges by them. The first argument chooses a part;
 * the rest goes to it.
 */
import { spawnSync } from 'node:child_process';

type Part = {
  readonly file: string;
  readonly about: string;
  /** Whether it tells its options itself. */
  readonly hasHelp?: true;
};

const PARTS: Readonly<Record<string, Part>> = {
  bodies: {
    file: 'bench/bodies.ts',
    about: 'how long the largest request bodies block the event loop; a word chooses some of them',
  },
  gateway: { file: 'bench/gateway/run.ts', about: 'the gateway beside other programs', hasHelp: true },
  index: { file: 'bench/index.ts', about: 'the index on a synthetic vault; --vectors with embeddings' },
  placement: {
    file: 'bench/placement.ts',
    about: 'loads that placement saves, on real Ollamas: URL URL URL',
  },
  profile: { file: 'bench/profile.ts', about: 'where Obelisk spends its time', hasHelp: true },
  soak: { file: 'bench/soak.ts', about: 'ten minutes with faults', hasHelp: true },
};

/** What runs without an argument: the parts that compare, each with its own defaults. */
const DEFAULT_PARTS = ['gateway', 'index'];

function helpOf(names: readonly string[]): string {
  const lines = names.map((name) => `  ${name.padEnd(10)} ${PARTS[name]?.about ?? ''}\n`);
  return `npm run bench -- PART [options]\n${lines.join('')}`;
}

const [name, ...rest] = process.argv.slice(2);
if (name === '--help') {
  process.stdout.write(helpOf(Object.keys(PARTS)));
  process.exit();
}
if (name !== undefined && PARTS[name] === undefined) {
  process.stderr.write(`bench: there is no part "${name}"; there are ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(2);
}
if (name !== undefined && rest.includes('--help') && PARTS[name]?.hasHelp !== true) {
  process.stdout.write(helpOf([name]));
  process.exit();
}
for (const part of name === undefined ? DEFAULT_PARTS : [name]) {
  process.stdout.write(`\n== ${part}\n`);
  const { status } = spawnSync(process.execPath, [PARTS[part]?.file ?? '', ...rest], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
