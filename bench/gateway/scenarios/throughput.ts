import { requestBody } from '../bodies.ts';
import {
  DIRECT,
  interleave,
  isComplete,
  LOADER_CORE,
  observing,
  placeOn,
  warmed,
  withPeers,
} from '../bench.ts';
import type { Bench, Measured, Scenario } from '../bench.ts';
import type { Program } from '../processes.ts';
import { startMock } from '../programs/nginx.ts';
import { requireAnswer } from '../warm-up.ts';
import { requireEverythingOn } from '../programs/obelisk-checks.ts';
import { voidReason } from '../verdicts.ts';
import { runWrk } from '../wrk.ts';

type Sizes = { readonly request: number; readonly answer: number };

/** Connections of the throughput scenarios; few enough for every peer's defaults. */
const CONNECTIONS = 32;

/** One round of wrk, with processor time per request. */
async function load(
  program: Program,
  given: {
    readonly bench: Bench;
    readonly mock: Program;
    readonly body: string;
    readonly connections: number;
  },
): Promise<Measured> {
  const { bench, mock, body, connections } = given;
  const options = { body, connections, core: LOADER_CORE, directory: bench.directory };
  const observed = await observing(program, [mock.pid], () =>
    runWrk(program, { ...options, seconds: bench.seconds }),
  );
  const { result, programMicros } = observed;
  // Starting and ending wrk takes a moment in which nothing is asked for.
  const usage = { ...observed.usage, programBusy: Math.min(1, programMicros / (result.seconds * 1e6)) };
  return {
    usage,
    figures: {
      requestsPerSecond: result.requestsPerSecond,
      microsPerRequest: programMicros / result.requests,
      p50Micros: result.p50Micros,
      p99Micros: result.p99Micros,
    },
  };
}

async function measureAll(
  bench: Bench,
  scenario: { readonly name: string; readonly sizes: Sizes; readonly connections: number },
): Promise<void> {
  const { name, sizes, connections } = scenario;
  if (isComplete(bench, name, [DIRECT, ...bench.peers.map((peer) => peer.name)])) return;
  const mock = await startMock(sizes.answer, await placeOn(LOADER_CORE, bench));
  const body = requestBody(sizes.request, false);
  const saturating = connections > 1;
  try {
    await withPeers(bench, { scenario: name, origin: mock.origin, use: 'json' }, async (programs) => {
      const ready = await warmed(bench, { scenario: name, programs }, async (program) => {
        await requireAnswer(program, body, sizes.answer);
        if (program.name === 'codec' || program.name === 'node') await requireEverythingOn(program);
        const options = { body, connections, core: LOADER_CORE, directory: bench.directory };
        await runWrk(program, { ...options, seconds: bench.seconds });
      });
      await interleave(bench, {
        scenario: name,
        programs: [{ ...mock, name: DIRECT }, ...ready],
        saturating,
        measure: async (program) => {
          const measured = await load(program, { bench, mock, body, connections });
          const counts = !saturating || program.name === DIRECT;
          return { ...measured, void: counts ? undefined : voidReason(measured.usage) };
        },
      });
    });
  } finally {
    await mock.stop();
  }
}

const throughput = (name: string, title: string, sizes: Sizes): Scenario => ({
  name,
  title,
  run: (bench) => measureAll(bench, { name, sizes, connections: CONNECTIONS }),
});

/** Throughput at 32 connections, small and large, and what one request at a time waits. */
export const LOAD_SCENARIOS: readonly Scenario[] = [
  throughput('json-1k', 'chat JSON, 1 KB asked and answered, 32 connections', {
    request: 1_024,
    answer: 1_024,
  }),
  throughput('request-64k', 'a request of 64 KB, an answer of 1 KB, 32 connections', {
    request: 65_536,
    answer: 1_024,
  }),
  throughput('answer-64k', 'a request of 1 KB, an answer of 64 KB, 32 connections', {
    request: 1_024,
    answer: 65_536,
  }),
  {
    name: 'latency',
    title: 'one request at a time, 1 KB asked and answered',
    run: (bench) =>
      measureAll(bench, { name: 'latency', sizes: { request: 1_024, answer: 1_024 }, connections: 1 }),
  },
];
