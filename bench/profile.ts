/**
 * `npm run bench -- profile`: where Obelisk spends its time under load. Runs it with `--cpu-prof`
 * under wrk and prints self time by folder, module and function, in microseconds per request.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { requestBody } from './gateway/bodies.ts';
import { familyMicros } from './gateway/kernel-figures.ts';
import { freePort } from './gateway/processes.ts';
import type { Place } from './gateway/processes.ts';
import { startMock } from './gateway/programs/nginx.ts';
import { startObelisk } from './gateway/programs/obelisk.ts';
import { runWrk } from './gateway/wrk.ts';
import type { WrkOptions } from './gateway/wrk.ts';
import { summarise } from './profile/summary.ts';
import type { CpuProfile, ProfileSummary, Share } from './profile/summary.ts';

const HELP = `npm run bench -- profile [options]
  --transport codec|node   what serves connections (codec)
  --seconds N              how long it is loaded (8)
  --connections N          open connections (32)
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
    request: { type: 'string', default: '1024' },
    answer: { type: 'string', default: '1024' },
    top: { type: 'string', default: '40' },
    interval: { type: 'string', default: '200' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const PROGRAM_CORE = 0;
const LOADER_CORE = 1;

/** The clock of a profile: microseconds of the monotonic clock, the same in every process. */
const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1_000n);

async function measure(folder: string, directory: string): Promise<void> {
  const place = async (core: number): Promise<Place> => ({ core, port: await freePort(), directory });
  const transport = values.transport === 'node' ? 'node' : 'codec';
  const mock = await startMock(Number(values.answer), await place(LOADER_CORE));
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${values.interval}`];
  const obelisk = await startObelisk(
    { upstream: mock.origin, transport, nodeOptions },
    await place(PROGRAM_CORE),
  );
  const load: WrkOptions = {
    body: requestBody(Number(values.request), false),
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    core: LOADER_CORE,
    directory,
  };
  await runWrk(obelisk, { ...load, seconds: 3 });
  const [from, ran] = [monotonicMicros(), familyMicros(obelisk.pid)];
  const result = await runWrk(obelisk, load);
  const [to, used] = [monotonicMicros(), familyMicros(obelisk.pid) - ran];
  await obelisk.stop();
  await mock.stop();
  const summary = summarise(readProfile(folder), { from, to, root: resolve(import.meta.dirname, '..') });
  const perRequest = used / result.requests;
  console.log(
    `${transport}: ${result.requestsPerSecond.toFixed(0)} req/s with the profiler on, ${perRequest.toFixed(1)} µs of processor time per request, idle ${((100 * summary.idleMicros) / (summary.idleMicros + summary.busyMicros)).toFixed(0)} %`,
  );
  print(summary, perRequest);
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

function print(summary: ProfileSummary, perRequest: number): void {
  const line = ({ name, micros }: Share): string => {
    const share = micros / summary.busyMicros;
    return `${(100 * share).toFixed(1).padStart(6)} % ${(share * perRequest).toFixed(2).padStart(7)} µs  ${name}`;
  };
  const parts = {
    'self time by folder': summary.groups.slice(0, 25),
    'self time by module': summary.modules.slice(0, 30),
    'self time by function': summary.functions.slice(0, Number(values.top)),
    'time of our own functions with all they call': summary.totals.slice(0, Number(values.top)),
  };
  for (const [title, shares] of Object.entries(parts))
    console.log(`\n${title}, share and microseconds per request\n${shares.map(line).join('\n')}`);
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
