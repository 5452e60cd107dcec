/**
 * `npm run bench -- soak`: Obelisk under a steady, modest load with faults of its upstream, for ten
 * minutes or for days. Exits with 1 when it grew, leaked, failed without cause or lied.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openDescriptors, residentKib } from './gateway/kernel-figures.ts';
import { freePort } from '../test/ports.ts';
import type { Program } from './gateway/processes.ts';
import { startObelisk } from './gateway/programs/obelisk.ts';
import { describeCommit, describeMachine } from './gateway/results.ts';
import { Clients } from './soak/clients.ts';
import { seededRandom, startFaultyUpstream } from './soak/faulty-upstream.ts';
import { verdictsOf } from './soak/verdict.ts';
import type { Sample, SoakResult } from './soak/verdict.ts';
import { numberOption } from './number-option.ts';

const HELP = `npm run bench -- soak [options]
  --minutes N              how long (10)
  --rate N                 requests a second, one in five of them a stream (50)
  --faults SHARE           share of the upstream's answers that fail (0.01)
  --transport codec|node   what serves connections (codec)
  --seed N                 of the faults (1)
  --out FILE               samples and verdicts as JSON
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
    faults: { type: 'string', default: '0.01' },
    transport: { type: 'string', default: 'codec' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const load = {
  minutes: numberOption(values, 'minutes'),
  rate: numberOption(values, 'rate'),
  faults: numberOption(values, 'faults'),
  seed: numberOption(values, 'seed'),
};

const PROGRAM_CORE = 0;
const WARM_UP_MS = 5_000;
const SAMPLE_MS = 1_000;
/** Kept connections close after some seconds on either side; descriptors may take so long to come back. */
const TIDY_MS = 90_000;

/** Descriptors, when they have been the same for a while or at most so many. */
async function settledDescriptors(pid: number, atMost: number): Promise<number> {
  const deadline = performance.now() + TIDY_MS;
  let last = openDescriptors(pid);
  let sameSinceMs = performance.now();
  while (last > atMost && performance.now() < deadline) {
    await sleep(500);
    const now = openDescriptors(pid);
    if (now !== last) sameSinceMs = performance.now();
    else if (atMost === 0 && performance.now() - sameSinceMs > 10_000) break;
    last = now;
  }
  return last;
}

function loopDelay(file: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly p99Ms: number }).p99Ms;
  } catch (error) {
    // A soak of a few seconds ends before the first look.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function soak(program: Program, clients: Clients, delayFile: string): Promise<SoakResult> {
  await clients.run(load.rate, WARM_UP_MS);
  clients.close();
  const descriptorsBefore = await settledDescriptors(program.pid, 0);
  const samples: Sample[] = [];
  const startedMs = performance.now();
  const timer = setInterval(() => {
    samples.push({
      atMs: performance.now() - startedMs,
      residentMib: residentKib(program.pid) / 1_024,
      descriptors: openDescriptors(program.pid),
    });
  }, SAMPLE_MS);
  await clients.run(load.rate, load.minutes * 60_000);
  clearInterval(timer);
  clients.close();
  const loopDelayP99Ms = loopDelay(delayFile);
  const descriptorsAfter = await settledDescriptors(program.pid, descriptorsBefore);
  // A process that has ended has no descriptors.
  const exited = openDescriptors(program.pid) === 0;
  return { samples, tally: clients.tally, descriptorsBefore, descriptorsAfter, exited, loopDelayP99Ms };
}

function print(result: SoakResult): void {
  const verdicts = verdictsOf(result);
  for (const { name, found, demanded, passed } of verdicts) {
    const mark = passed === undefined ? '  ' : passed ? 'ok' : 'NO';
    console.log(`${mark}  ${name.padEnd(34)} ${found.padEnd(44)} ${demanded}`);
  }
  if (verdicts.some(({ passed }) => passed === false)) process.exitCode = 1;
  if (values.out === undefined) return;
  const path = resolve(values.out);
  mkdirSync(dirname(path), { recursive: true });
  const commit = describeCommit(resolve(import.meta.dirname, '..'));
  const facts = { at: new Date().toISOString(), commit, machine: describeMachine(), settings: values };
  writeFileSync(path, `${JSON.stringify({ ...facts, verdicts, ...result }, undefined, 1)}\n`);
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'obelisk-soak-'));
  // Also when a signal ends this process.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const delayFile = join(directory, 'loop-delay.json');
  const random = seededRandom(load.seed);
  const upstream = await startFaultyUpstream(load.faults, random);
  const probe = pathToFileURL(join(import.meta.dirname, 'soak/loop-delay-probe.ts')).href;
  const program = await startObelisk(
    {
      upstream: upstream.origin,
      transport: values.transport === 'node' ? 'node' : 'codec',
      nodeOptions: ['--import', probe],
      environment: { OBELISK_SOAK_LOOP_DELAY: delayFile },
    },
    { core: PROGRAM_CORE, port: await freePort(), directory },
  );
  const clients = new Clients(program, { faults: upstream.faults, random });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    print(await soak(program, clients, delayFile));
  } finally {
    await program.stop();
    await upstream.stop();
  }
}

if (process.platform !== 'linux') {
  process.stderr.write(
    'SKIPPED the soak: memory and descriptors are read from /proc, which only Linux has\n',
  );
} else if (values.help) {
  process.stdout.write(HELP);
} else {
  await main();
}
