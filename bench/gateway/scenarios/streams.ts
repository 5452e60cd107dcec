import { setTimeout as sleep } from 'node:timers/promises';
import { requestBody } from '../bodies.ts';
import { DIRECT, interleave, isComplete, observing, warmed, withPeers } from '../bench.ts';
import type { Bench, Measured, Scenario } from '../bench.ts';
import type { Program } from '../processes.ts';
import { percentile } from '../statistics.ts';
import type { LoaderReport, LoaderTask } from '../streams/protocol.ts';
import { startStreamLoader, startStreamMock } from '../streams/stream-loader.ts';
import { pacedReason } from '../verdicts.ts';
import { requireAnswer } from '../warm-up.ts';

const NAME = 'streams';
const STREAMS = 200;
const INTERVAL_MS = 10;
/** Events of one stream; then the stream ends and the next one begins on its connection. */
const EVENTS = 500;
/** Streams begin one after another, so that the first token says what an open gateway adds. */
const SPREAD_MS = 1_000;
const SETTLE_MS = 30_000;
const BODY = requestBody(1_024, true);

/** What a loader has to know about a program. */
export function taskFor(
  program: Program,
  rest: Pick<LoaderTask, 'streams' | 'spreadMs' | 'again'>,
): LoaderTask {
  return { origin: program.origin, headers: program.headers, body: BODY, ...rest };
}

/** Warms a program up with a short stream. */
function warmStream(program: Program): Promise<void> {
  return requireAnswer(program, BODY, 0);
}

/** @throws Error when streams failed: what fails is not measured. */
export function requireStreams(report: LoaderReport, streams: number): void {
  if (report.failed === 0 && report.begun >= streams) return;
  throw new Error(
    `${report.begun} of ${streams} streams began, ${report.failed} failed: ${report.failure ?? 'no answer in time'}`,
  );
}

async function measure(bench: Bench, mock: Program, program: Program): Promise<Measured> {
  const loader = startStreamLoader(taskFor(program, { streams: STREAMS, spreadMs: SPREAD_MS, again: true }));
  try {
    loader.tell('go');
    requireStreams(await loader.settled(STREAMS, SETTLE_MS), STREAMS);
    await sleep(500);
    const observed = await observing(program, [mock.pid, loader.pid], async () => {
      loader.tell('reset');
      await sleep(bench.seconds * 1_000);
      return loader.report();
    });
    const { result, usage, programMicros, wallMicros } = observed;
    if (result.failed > 0) requireStreams(result, STREAMS);
    const expected = (STREAMS * (wallMicros / 1_000)) / INTERVAL_MS;
    return {
      usage,
      void: program.name === DIRECT ? undefined : pacedReason(usage, result.events / expected),
      figures: {
        microsPerEvent: programMicros / result.events,
        eventsShare: result.events / expected,
        firstP50Ms: percentile(result.firstMs, 0.5),
        firstP99Ms: percentile(result.firstMs, 0.99),
        gapP50Ms: result.gapP50Ms,
        gapP99Ms: result.gapP99Ms,
      },
    };
  } finally {
    await loader.stop();
  }
}

async function run(bench: Bench): Promise<void> {
  if (isComplete(bench, NAME, [DIRECT, ...bench.peers.map((peer) => peer.name)])) return;
  const mock = await startStreamMock(bench, { events: EVENTS, intervalMs: INTERVAL_MS });
  try {
    await withPeers(bench, { scenario: NAME, origin: mock.origin, use: 'streams' }, async (programs) => {
      await interleave(bench, {
        scenario: NAME,
        programs: [
          { ...mock, name: DIRECT },
          ...(await warmed(bench, { scenario: NAME, programs }, warmStream)),
        ],
        saturating: false,
        measure: (program) => measure(bench, mock, program),
      });
    });
  } finally {
    await mock.stop();
  }
}

/** Many streams at once, each with an event every 10 ms. */
export const STREAM_SCENARIO: Scenario = {
  name: NAME,
  title: `${STREAMS} streams, each with an event of 300 bytes every ${INTERVAL_MS} ms`,
  run,
};
