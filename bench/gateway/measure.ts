/** What is measured: throughput with wrk, processor time, first-token delay, time to ready. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import type { Program } from './servers.ts';

const run = promisify(execFile);

/** One round of load. */
export type Round = {
  readonly requestsPerSecond: number;
  /** Processor time of the program under test per request, in microseconds: the steadiest figure. */
  readonly processorMicros: number;
  /** Share of one core that the program used, 0 to 1. */
  readonly busy: number;
  /** The same of everything on the loader's core. */
  readonly loaderBusy: number;
};

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/** Processor time of a process and its threads so far, in microseconds (Linux). */
function processorMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Idle share of a core so far, and all of it, in ticks (Linux). */
function coreTicks(core: number): { readonly idle: number; readonly all: number } {
  const line =
    readFileSync('/proc/stat', 'utf8')
      .split('\n')
      .find((text) => text.startsWith(`cpu${core} `)) ?? '';
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((sum, value) => sum + value, 0) };
}

/** Loads a program with wrk for some seconds. */
export async function load(
  program: Program,
  options: { readonly script: string; readonly core: number; readonly seconds: number },
): Promise<Round> {
  const { script, core, seconds } = options;
  const url = `${program.origin}/v1/chat/completions`;
  const args = ['-c', String(core), 'wrk', '-t1', '-c32', `-d${seconds}s`, '-s', script, url];
  const [micros, ticks, started] = [processorMicros(program.pid), coreTicks(core), performance.now()];
  const { stdout } = await run('taskset', args);
  const elapsedMicros = (performance.now() - started) * 1_000;
  const used = processorMicros(program.pid) - micros;
  const now = coreTicks(core);
  const failed = /Non-2xx.*|Socket errors.*/.exec(stdout);
  if (failed) throw new Error(`${program.name} failed under load: ${failed[0]}`);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? Number.NaN);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN),
    processorMicros: used / requests,
    busy: used / elapsedMicros,
    loaderBusy: 1 - (now.idle - ticks.idle) / (now.all - ticks.all),
  };
}

const EVENT = (delta: object, reason: string | null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-mock', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;

/** A mock that streams a short answer at once. */
export async function startStreamMock(): Promise<{ readonly origin: string; stop(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(EVENT({ role: 'assistant', content: 'Hi' }, null));
      response.end(`${EVENT({}, 'stop')}data: [DONE]\n\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, stop: () => server.closeAllConnections() ?? server.close() };
}

/** Milliseconds from sending a streaming request to its first data, one after another on one connection. */
export async function firstTokens(origin: string, body: string, turns: number): Promise<readonly number[]> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const started = performance.now();
    let first = Number.NaN;
    const ended = new Promise<void>((resolve, reject) => {
      let heard = '';
      const onData = (bytes: Buffer): void => {
        heard += bytes.toString('latin1');
        if (Number.isNaN(first) && heard.includes('data: {')) first = performance.now() - started;
        if (!heard.includes('0\r\n\r\n')) return;
        socket.off('data', onData);
        if (heard.startsWith('HTTP/1.1 200')) resolve();
        else reject(new Error(`no stream from ${origin}: ${heard.slice(0, 300)}`));
      };
      socket.on('data', onData);
    });
    socket.write(head + body);
    await ended;
    times.push(first);
  }
  socket.destroy();
  return times;
}

/** Milliseconds from starting a command to the first successful answer at `url`. */
export async function timeToReady(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  url: string,
): Promise<number> {
  const [program = '', ...args] = command;
  const started = performance.now();
  const child = spawn(program, args, {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  });
  try {
    while (performance.now() - started < 30_000) {
      const response = await fetch(url).catch(() => undefined);
      if (response?.ok === true) return performance.now() - started;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${url} was not ready within 30 s`);
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}
