/**
 * `npm run bench -- gateway`: what the gateway costs beside nginx, HAProxy and other gateways on the
 * same machine in the same run. Only ratios within a run mean anything.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LOADER_CORE, say } from './bench.ts';
import type { Bench, Scenario } from './bench.ts';
import { PEERS } from './peers.ts';
import type { Peer } from './peers.ts';
import { report } from './report.ts';
import { describeCommit, describeMachine, ResultFile } from './results.ts';
import type { Results } from './results.ts';
import { SCENARIOS } from './scenarios.ts';
import { numberOption } from '../number-option.ts';

const HELP = `npm run bench -- gateway [SCENARIO...] [options]
  scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}
  --peers A,B       programs to measure (${PEERS.map(({ name }) => name).join(',')})
  --rounds N        rounds of each program (5)
  --seconds N       length of a round (4)
  --tries N         how often a round is repeated while other programs disturb it (5)
  --patience N      seconds to wait for a quiet moment before each try (20)
  --out FILE        results as JSON; an interrupted run goes on from it (.bench/gateway.json)
  --fresh           begins the file again
  --report FILE     prints the table of a file and measures nothing
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    tries: { type: 'string', default: '5' },
    patience: { type: 'string', default: '20' },
    out: { type: 'string', default: '.bench/gateway.json' },
    fresh: { type: 'boolean', default: false },
    report: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** What nothing can be measured without. */
function missingTools(): string | undefined {
  if (process.platform !== 'linux') return 'processor time is read from /proc, which only Linux has';
  for (const tool of ['nginx', 'wrk', 'taskset'])
    if (spawnSync(tool, ['-v'], { stdio: 'ignore' }).error) return `${tool} is not installed`;
  return availableParallelism() < 2 ? 'this machine has one core' : undefined;
}

function choose<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[],
  kind: string,
): readonly T[] {
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined)
    throw new Error(`there is no ${kind} "${unknown}"; there are ${all.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

type Present = {
  readonly peers: readonly Peer[];
  readonly versions: Results['versions'];
  readonly skipped: Results['skipped'];
};

function findPeers(wanted: readonly Peer[]): Present {
  const peers: Peer[] = [];
  const versions: Record<string, string> = { runtime: process.versions.node };
  const skipped: Record<string, string> = {};
  for (const peer of wanted) {
    const found = peer.find();
    if ('missing' in found) {
      skipped[peer.name] = found.missing;
      say(`SKIPPED ${peer.name}: it is not here; ${found.missing}`);
    } else {
      versions[peer.name] = found.version;
      peers.push(peer);
    }
  }
  return { peers, versions, skipped };
}

async function measure(scenarios: readonly Scenario[]): Promise<Results> {
  const { peers, versions, skipped } = findPeers(choose(PEERS, values.peers?.split(',') ?? [], 'program'));
  const settings = { rounds: numberOption(values, 'rounds'), seconds: numberOption(values, 'seconds') };
  const path = resolve(values.out);
  if (values.fresh) rmSync(path, { force: true });
  const fresh: Results = {
    format: 1,
    started: new Date().toISOString(),
    machine: describeMachine(),
    versions,
    commit: describeCommit(resolve(import.meta.dirname, '../..')),
    settings,
    skipped,
    rounds: [],
  };
  const results = ResultFile.open(fresh, path);
  const directory = mkdtempSync(join(tmpdir(), 'obelisk-bench-'));
  // Also when a signal ends this process.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const bench: Bench = {
    peers,
    results,
    directory,
    ...settings,
    tries: numberOption(values, 'tries'),
    patienceMs: numberOption(values, 'patience') * 1_000,
  };
  for (const scenario of scenarios) {
    say(`${scenario.name}: ${scenario.title}`);
    try {
      await scenario.run(bench);
    } catch (error) {
      // One scenario that cannot be run does not take the others with it.
      say(`  FAILED ${scenario.name}: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
  say(`every round is in ${path}`);
  return results.results;
}

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (values.report !== undefined) {
    console.log(report(JSON.parse(readFileSync(values.report, 'utf8')) as Results));
    return;
  }
  const reason = missingTools();
  if (reason !== undefined) {
    say(`SKIPPED the gateway's benchmark: ${reason}; it needs Linux, two cores, nginx, wrk and taskset`);
    return;
  }
  const scenarios = choose(SCENARIOS, positionals, 'scenario');
  // This process must not run on the core of what is measured.
  spawnSync('taskset', ['-acp', String(LOADER_CORE), String(process.pid)], { stdio: 'ignore' });
  // An interruption must not leave programs running: they end with this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  console.log(report(await measure(scenarios)));
}

try {
  await main();
} catch (error) {
  say(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
