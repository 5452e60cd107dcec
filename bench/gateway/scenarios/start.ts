import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestBody } from '../bodies.ts';
import { interleave, isComplete, LOADER_CORE, observing, placeOn, PROGRAM_CORE, say } from '../bench.ts';
import type { Bench, Measured, Scenario } from '../bench.ts';
import { residentKib } from '../kernel-figures.ts';
import { cleanEnvironment, endWithThisProcess } from '../processes.ts';
import type { Command, Program } from '../processes.ts';
import { startMock } from '../programs/nginx.ts';
import { buildObelisk, obeliskCommand } from '../programs/obelisk.ts';

const NAME = 'start';
/** The row that the others are divided by: Node doing nothing. */
export const EMPTY_NODE = 'node -e 0';
const LIMIT_MS = 30_000;
/** A program has settled when what its start left behind had time to be collected. */
const SETTLE_MS = 5_000;
const BODY = requestBody(1_024, false);

type Subject = {
  readonly name: string;
  command(bench: Bench, upstream: string): Promise<{ readonly command: Command; readonly port: number }>;
};

const builtObelisk = (transport: 'codec' | 'node'): Subject => ({
  name: transport,
  command: async (bench, upstream) => {
    const place = await placeOn(PROGRAM_CORE, bench);
    const program = buildObelisk(bench.directory);
    return { command: obeliskCommand({ upstream, transport, program }, place), port: place.port };
  },
});

const EMPTY: Subject = {
  name: EMPTY_NODE,
  command: () => Promise.resolve({ command: { command: [process.execPath, '-e', '0'] }, port: 0 }),
};

/** Asks until an answer with status 200 has come; a connection that is refused is tried again at once. */
async function firstAnswer(port: number, headers: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries({ ...headers, 'content-type': 'application/json' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-length: ${Buffer.byteLength(BODY)}\r\nconnection: close\r\n${lines.join('')}\r\n${BODY}`;
  const deadline = performance.now() + LIMIT_MS;
  let last = 'nothing listened';
  while (performance.now() < deadline) {
    const heard = await answerTo(port, request);
    if (heard.startsWith('HTTP/1.1 200')) return;
    last = heard === '' ? last : heard.slice(0, 300);
    await sleep(1);
  }
  throw new Error(`no answer within ${LIMIT_MS} ms: ${last}`);
}

/** What came first over a new connection, or nothing when there was none. */
function answerTo(port: number, request: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.once('connect', () => socket.write(request));
  socket.once('data', (bytes: Buffer) => {
    resolve(bytes.toString('latin1'));
    socket.destroy();
  });
  socket.once('error', () => resolve(''));
  socket.once('close', () => resolve(''));
  return promise;
}

async function measure(bench: Bench, mock: Program, subject: Subject): Promise<Measured> {
  const { command, port } = await subject.command(bench, mock.origin);
  const log = openSync(join(bench.directory, 'start.log'), 'a');
  const startedMs = performance.now();
  const child = spawn('taskset', ['-c', String(PROGRAM_CORE), ...command.command], {
    stdio: ['ignore', log, log],
    env: { ...cleanEnvironment(), ...command.environment },
  });
  closeSync(log);
  endWithThisProcess(child);
  const ended = once(child, 'exit');
  const program = { pid: child.pid ?? 0, name: subject.name } as Program;
  try {
    const observed = await observing(program, [mock.pid], async () => {
      await (port === 0 ? ended : firstAnswer(port, command.headers ?? {}));
      return performance.now() - startedMs;
    });
    if (port === 0) return { usage: observed.usage, figures: { startMs: observed.result } };
    await sleep(SETTLE_MS);
    const idleMib = residentKib(program.pid) / 1_024;
    return { usage: observed.usage, figures: { startMs: observed.result, idleMib } };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function run(bench: Bench): Promise<void> {
  const transports = (['codec', 'node'] as const).filter((name) =>
    bench.peers.some((peer) => peer.name === name),
  );
  const subjects: readonly Subject[] = [EMPTY, ...transports.map(builtObelisk)];
  if (
    isComplete(
      bench,
      NAME,
      subjects.map(({ name }) => name),
    )
  )
    return;
  const mock = await startMock(1_024, await placeOn(LOADER_CORE, bench));
  try {
    // What is compiled is kept from one start to the next: the first start of each is not counted.
    for (const subject of subjects) {
      say(`  ${NAME}, ${subject.name}: once before it counts`);
      await measure(bench, mock, subject);
    }
    await interleave(bench, {
      scenario: NAME,
      programs: subjects,
      saturating: false,
      measure: (subject) => measure(bench, mock, subject),
    });
  } finally {
    await mock.stop();
  }
}

/** From starting what `npm run build` made, without vaults, to the first answer that came through it. */
export const START_SCENARIO: Scenario = {
  name: NAME,
  title: 'cold start of the built program to its first proxied answer, and idle memory',
  run,
};
