/**
 * `npm run bench -- profile`: where Obelisk spends its time under load. Runs it with `--cpu-prof`
 * under wrk and prints self time by folder, module and function, in microseconds per request or event.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { LOADER_CORE, PROGRAM_CORE } from './gateway/bench.ts';
import { requestBody } from './gateway/bodies.ts';
import { familyMicros } from './gateway/kernel-figures.ts';
import { freePort } from '../test/ports.ts';
import type { Program } from './gateway/processes.ts';
import { startMock } from './gateway/programs/nginx.ts';
import { startObelisk } from './gateway/programs/obelisk.ts';
import { startStreamLoader, startStreamMock } from './gateway/streams/stream-loader.ts';
import type { StreamLoader } from './gateway/streams/stream-loader.ts';
import { runWrk } from './gateway/wrk.ts';
import { summarise } from './profile/summary.ts';
import type { CpuProfile, ProfileSummary, Share } from './profile/summary.ts';
import { numberOption } from './number-option.ts';

const HELP = `npm run bench -- profile [options]
  --transport codec|node   what serves connections (codec)
  --seconds N              how long it is loaded (8)
  --connections N          open connections (32)
  --streams N              loads it with so many streams of 100 events a second instead of JSON
  --request BYTES          size of a request (1024)
  --answer BYTES           size of an answer (1024)
  --top N                  functions to print (40)
  --interval MICROS        time between two samples (200)
  --out FOLDER             where the .cpuprofile is kept, for a browser's developer tools
`;

const { values } = parseArgs({
  options: {
    transport: { type: 'string', default: 'codec' },
    seconds: { type: 'string', default: '8' },
    connections: { type: 'string', default: '32' },
    streams: { type: 'string' },
    request: { type: 'string', default: '1024' },
    answer: { type: 'string', default: '1024' },
    top: { type: 'string', default: '40' },
    interval: { type: 'string', default: '200' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** The clock of a profile: microseconds of the monotonic clock, the same in every process. */
const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1_000n);

/** What loads the program: begun once, then asked for some seconds, telling how much was done. */
type Load = {
  readonly upstream: string;
  readonly unit: string;
  run(program: Program, seconds: number): Promise<number>;
  stop(): Promise<void>;
};

async function jsonLoad(directory: string): Promise<Load> {
  const place = { core: LOADER_CORE, port: await freePort(), directory };
  const mock = await startMock(numberOption(values, 'answer'), place);
  const options = {
    body: requestBody(numberOption(values, 'request'), false),
    connections: numberOption(values, 'connections'),
    core: LOADER_CORE,
    directory,
  };
  return {
    upstream: mock.origin,
    unit: 'request',
    run: async (program, seconds) => (await runWrk(program, { ...options, seconds })).requests,
    stop: () => mock.stop(),
  };
}

async function streamLoad(streams: number, directory: string): Promise<Load> {
  const mock = await startStreamMock({ directory }, { events: 500, intervalMs: 10 });
  let loader: StreamLoader | undefined;
  const begin = async ({ origin, headers }: Program): Promise<StreamLoader> => {
    const body = requestBody(1_024, true);
    const started = startStreamLoader({ origin, headers, body, streams, spreadMs: 1_000, again: true });
    started.tell('go');
    const { begun, failure } = await started.settled(streams, 30_000);
    if (begun < streams) throw new Error(`${begun} of ${streams} streams began: ${failure}`);
    return started;
  };
  return {
    upstream: mock.origin,
    unit: 'event',
    run: async (program, seconds) => {
      loader ??= await begin(program);
      loader.tell('reset');
      await sleep(seconds * 1_000);
      return (await loader.report()).events;
    },
    stop: async () => {
      await loader?.stop();
      await mock.stop();
    },
  };
}

async function measure(folder: string, directory: string): Promise<void> {
  const transport = values.transport === 'node' ? 'node' : 'codec';
  const load = await (values.streams === undefined
    ? jsonLoad(directory)
    : streamLoad(numberOption(values, 'streams'), directory));
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${values.interval}`];
  const obelisk = await startObelisk(
    { upstream: load.upstream, transport, nodeOptions },
    { core: PROGRAM_CORE, port: await freePort(), directory },
  );
  await load.run(obelisk, 3);
  const [from, ran] = [monotonicMicros(), familyMicros(obelisk.pid)];
  const done = await load.run(obelisk, numberOption(values, 'seconds'));
  const [to, used] = [monotonicMicros(), familyMicros(obelisk.pid) - ran];
  await obelisk.stop();
  await load.stop();
  const summary = summarise(readProfile(folder), { from, to, root: resolve(import.meta.dirname, '..') });
  const perUnit = used / done;
  const idle = summary.idleMicros / (summary.idleMicros + summary.busyMicros);
  console.log(
    `${transport}: ${((done * 1e6) / (to - from)).toFixed(0)} ${load.unit}s a second with the profiler on, ${perUnit.toFixed(1)} µs of processor time per ${load.unit}, idle ${(100 * idle).toFixed(0)} %`,
  );
  print(summary, perUnit, load.unit);
  if (values.out !== undefined) console.log(`\nthe profile is in ${resolve(values.out)}`);
}

/** The profile of the main thread: a worker's has its own number in the name. */
function readProfile(folder: string): CpuProfile {
  const file = readdirSync(folder)
    .filter((name) => /\.\d+\.0\.\d+\.cpuprofile$/.test(name))
    .sort()
    .at(-1);
  if (file === undefined) throw new Error('no profile was written: did the program end by itself?');
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
}

function print(summary: ProfileSummary, perUnit: number, unit: string): void {
  const line = ({ name, micros }: Share): string => {
    const share = micros / summary.busyMicros;
    return `${(100 * share).toFixed(1).padStart(6)} % ${(share * perUnit).toFixed(2).padStart(7)} µs  ${name}`;
  };
  const top = numberOption(values, 'top');
  const parts = {
    'self time by folder': summary.groups.slice(0, 25),
    'self time by module': summary.modules.slice(0, 30),
    'self time by function': summary.functions.slice(0, top),
    'time of our own functions with all they call': summary.totals.slice(0, top),
  };
  for (const [title, shares] of Object.entries(parts))
    console.log(`\n${title}, share and microseconds per ${unit}\n${shares.map(line).join('\n')}`);
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  const directory = mkdtempSync(join(tmpdir(), 'obelisk-profile-'));
  const folder = values.out === undefined ? join(directory, 'profile') : resolve(values.out);
  mkdirSync(folder, { recursive: true });
  try {
    await measure(folder, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
