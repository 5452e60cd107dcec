/**
 * `node bench/gateway/run.ts`: what the gateway costs, as ratios to nginx on the same machine in the
 * same run. Absolute figures of a shared machine mean nothing and are printed only to be doubted.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstTokens, load, median, startStreamMock, timeToReady } from './measure.ts';
import type { Round } from './measure.ts';
import { freePort, obeliskCommand, startBare, startMock, startObelisk, startProxy } from './servers.ts';
import type { Place, Program } from './servers.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
/** The program under test has a core to itself; the loader and the mock share the other. */
const PROGRAM_CORE = 0;
const LOADER_CORE = 1;

const question = 'What is the meaning of all this? '.repeat(26);
const bodyOf = (stream: boolean): string =>
  JSON.stringify({
    model: 'gpt-mock',
    messages: [{ role: 'user', content: question }],
    temperature: 0.7,
    stream,
  });

function missing(): string | undefined {
  for (const tool of ['nginx', 'wrk', 'taskset']) {
    if (spawnSync(tool, ['-v'], { stdio: 'ignore' }).error) return `${tool} is not installed`;
  }
  return availableParallelism() < 2 ? 'this machine has one core' : undefined;
}

async function throughput(directory: string): Promise<void> {
  const script = join(directory, 'post.lua');
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = [==[${bodyOf(false)}]==]\nwrk.headers["content-type"] = "application/json"\n`,
  );
  const place = async (core: number): Promise<Place> => ({ core, port: await freePort(), directory });
  const mock = await startMock(await place(LOADER_CORE));
  const programs: Program[] = [
    await startProxy(await place(PROGRAM_CORE), mock.origin),
    await startBare(await place(PROGRAM_CORE), mock.origin),
    await startObelisk(await place(PROGRAM_CORE), mock.origin),
  ];
  const rounds = new Map<string, Round[]>(programs.map(({ name }) => [name, []]));
  // The first round warms everything up and is thrown away.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const program of programs) {
      const result = await load(program, { script, core: LOADER_CORE, seconds: SECONDS });
      if (round > 0) rounds.get(program.name)?.push(result);
    }
  }
  for (const program of [...programs, mock]) await program.stop();
  printThroughput(rounds);
}

/**
 * Two estimates: the median of the ratios of neighbouring rounds, and the ratio of the least processor
 * time per request of all rounds, which is the one that other programs on the machine disturb least.
 */
function printThroughput(rounds: ReadonlyMap<string, readonly Round[]>): void {
  console.log(
    'pass-through chat, 1 KB, 32 connections, one core; requests per second count where busy is 0.95',
  );
  const reference = rounds.get('nginx') ?? [];
  const least = (results: readonly Round[]): number =>
    Math.min(...results.map((round) => round.processorMicros));
  for (const [name, results] of rounds) {
    const ratios = results.map(
      (round, index) => round.requestsPerSecond / (reference[index]?.requestsPerSecond ?? 0),
    );
    const of = (pick: (round: Round) => number): number => median(results.map(pick));
    console.log(
      [
        name.padEnd(12),
        `${(100 * median(ratios)).toFixed(1).padStart(6)} % of nginx`,
        `${((100 * least(reference)) / least(results)).toFixed(1).padStart(6)} % by least processor time`,
        `(${least(results).toFixed(1)} µs; median ${of((round) => round.processorMicros).toFixed(1)})`,
        `${of((round) => round.requestsPerSecond)
          .toFixed(0)
          .padStart(7)} req/s`,
        `busy ${of((round) => round.busy).toFixed(2)}, loader ${of((round) => round.loaderBusy).toFixed(2)}`,
      ].join('  '),
    );
  }
}

async function delays(directory: string): Promise<void> {
  const mock = await startStreamMock();
  const place: Place = { core: PROGRAM_CORE, port: await freePort(), directory };
  const obelisk = await startObelisk(place, mock.origin);
  const proxy = await startProxy({ ...place, port: await freePort() }, mock.origin);
  const origins = { direct: mock.origin, nginx: proxy.origin, obelisk: obelisk.origin };
  const medians: Record<string, number[]> = { direct: [], nginx: [], obelisk: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, origin] of Object.entries(origins)) {
      const times = await firstTokens(origin, bodyOf(true), 200);
      if (round > 0) medians[name]?.push(median(times));
    }
  }
  await obelisk.stop();
  await proxy.stop();
  mock.stop();
  const direct = median(medians['direct'] ?? []);
  console.log(
    'first token of a stream, one at a time, added at p50 (direct: '.concat(`${direct.toFixed(3)} ms)`),
  );
  for (const name of ['nginx', 'obelisk']) {
    console.log(`${name.padEnd(12)}  ${(median(medians[name] ?? []) - direct).toFixed(3)} ms`);
  }
}

async function start(directory: string): Promise<void> {
  const place: Place = { core: PROGRAM_CORE, port: await freePort(), directory };
  const { command, environment } = obeliskCommand(place, 'http://127.0.0.1:1');
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    times.push(await timeToReady(command, environment, `http://127.0.0.1:${place.port}/health/readiness`));
  }
  const node = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    node.push(performance.now() - started);
  }
  console.log(
    `start to ready, no Ollama: ${median(times).toFixed(0)} ms (${(median(times) / median(node)).toFixed(1)} × an empty Node)`,
  );
}

async function main(): Promise<void> {
  const reason = missing();
  if (reason !== undefined) {
    console.log(`SKIPPED gateway benchmark: ${reason}; it needs nginx, wrk, taskset and two cores`);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'obelisk-bench-'));
  const parts = { throughput, delays, start };
  const wanted = process.argv[2];
  try {
    for (const [name, part] of Object.entries(parts))
      if (wanted === undefined || wanted === name) await part(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'bare') {
  const { serveBare } = await import('./bare.ts');
  await serveBare(Number(process.argv[3]), process.argv[4] ?? '');
} else {
  await main();
}
