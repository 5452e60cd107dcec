import { setTimeout as sleep } from 'node:timers/promises';
import { DIRECT, interleave, isComplete, LOADER_CORE, observing, placeOn, PROGRAM_CORE } from '../bench.ts';
import type { Bench, Measured, Scenario } from '../bench.ts';
import { residentKib } from '../kernel-figures.ts';
import type { Peer } from '../peers.ts';
import type { Program } from '../processes.ts';
import { startHeldMock } from '../programs/nginx.ts';
import { percentile } from '../statistics.ts';
import { startStreamLoader } from '../streams/stream-loader.ts';
import { requireStreams, taskFor } from './streams.ts';

const NAME = 'burst';
const STREAMS = 2_000;
const SETTLE_MS = 60_000;
/** Memory is read when what the burst left behind has been tidied up. */
const REST_MS = 2_000;
const STREAMS_OF_WARM_UP = 20;
/** A connection that the program's queue had no room for is tried again after a second. */
const CONNECT_LIMIT_MS = 900;

/**
 * 2,000 clients connect at once and ask for a stream, each of which needs a connection to the
 * upstream. All streams are then held open. The first event is timed from the request; a client that
 * waited for its connection is told of apart, because the kernel makes it wait a whole second.
 */
async function measure(mock: Program, program: Program): Promise<Measured> {
  const idleKib = residentKib(program.pid);
  const loader = startStreamLoader(taskFor(program, { streams: STREAMS, spreadMs: 0, again: false }));
  try {
    const observed = await observing(program, [mock.pid, loader.pid], async () => {
      loader.tell('go');
      return loader.settled(STREAMS, SETTLE_MS);
    });
    const { result, usage, programMicros } = observed;
    requireStreams(result, STREAMS);
    await sleep(REST_MS);
    const openKib = residentKib(program.pid);
    const connectMs = percentile(result.connectMs, 0.99);
    return {
      usage,
      void:
        connectMs > CONNECT_LIMIT_MS
          ? `one client in a hundred waited ${connectMs.toFixed(0)} ms for its connection: the queue of new ones was full`
          : undefined,
      figures: {
        connectP99Ms: connectMs,
        firstP50Ms: percentile(result.firstMs, 0.5),
        firstP99Ms: percentile(result.firstMs, 0.99),
        microsPerStream: programMicros / STREAMS,
        idleMib: idleKib / 1_024,
        openMib: openKib / 1_024,
        kibPerStream: (openKib - idleKib) / STREAMS,
      },
    };
  } finally {
    await loader.stop();
    // The program has to notice 2,000 clients that left before it is measured again.
    await sleep(REST_MS);
  }
}

/** Opens some streams and leaves them, so that a first burst does not pay for what is compiled once. */
async function warm(program: Program): Promise<void> {
  const task = taskFor(program, { streams: STREAMS_OF_WARM_UP, spreadMs: 0, again: false });
  for (let turn = 0; turn < 10; turn += 1) {
    const loader = startStreamLoader(task);
    try {
      loader.tell('go');
      requireStreams(await loader.settled(STREAMS_OF_WARM_UP, SETTLE_MS), STREAMS_OF_WARM_UP);
    } finally {
      await loader.stop();
    }
  }
}

/** Starts a peer anew for each try: memory that an earlier burst left would be taken for idle memory. */
async function measurePeer(bench: Bench, mock: Program, peer: Peer): Promise<Measured> {
  const started = await peer.start(mock.origin, await placeOn(PROGRAM_CORE, bench), 'streams');
  try {
    const program = { ...started, name: peer.name };
    await warm(program);
    return await measure(mock, program);
  } finally {
    await started.stop();
  }
}

async function run(bench: Bench): Promise<void> {
  const direct = { name: DIRECT };
  if (isComplete(bench, NAME, [DIRECT, ...bench.peers.map(({ name }) => name)])) return;
  const mock = await startHeldMock(await placeOn(LOADER_CORE, bench));
  try {
    await interleave<Peer | typeof direct>(bench, {
      scenario: NAME,
      programs: [direct, ...bench.peers],
      saturating: false,
      measure: (program) =>
        'start' in program ? measurePeer(bench, mock, program) : measure(mock, { ...mock, name: DIRECT }),
    });
  } finally {
    await mock.stop();
  }
}

/** Many streams at once, then held open: time to the first token, and memory. */
export const BURST_SCENARIO: Scenario = {
  name: NAME,
  title: `${STREAMS} streams at once, held open: first tokens and memory`,
  run,
};
