import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './processes.ts';

/** What wrk saw. */
export type WrkResult = {
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
};

/** How wrk loads a program. */
export type WrkOptions = {
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
  readonly directory: string;
};

const MARK = 'wrk-result';

/** One line of figures in plain units, instead of wrk's own report whose units vary. */
const DONE = `function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format("${MARK} %d %d %d %d %d %d %d %d %d\\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.connect, failed.read, failed.write, failed.status, failed.timeout))
end
`;

/** Wrk's script: one request that is built once, so that Lua costs nothing per request. */
export function wrkScript(body: string, headers: Readonly<Record<string, string>>): string {
  if (body.includes(']==]')) throw new Error('the body holds the end of a Lua string');
  const lines = Object.entries({ 'content-type': 'application/json', ...headers }).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  return `wrk.method = "POST"\nwrk.body = [==[${body}]==]\n${lines.join('\n')}\n${DONE}`;
}

/**
 * Reads the line that the script wrote.
 * @throws Error when there is none, or when a request failed: figures of failing requests mean nothing.
 */
export function parseWrk(output: string): WrkResult {
  const line = output.split('\n').find((text) => text.startsWith(`${MARK} `));
  const figures = line?.split(' ').slice(1).map(Number) ?? [];
  if (figures.length !== 9 || figures.some(Number.isNaN))
    throw new Error(`wrk gave no figures: ${output.slice(0, 400)}`);
  const [requests = 0, durationMicros = 0, p50Micros = 0, p99Micros = 0, ...errors] = figures;
  const kinds = ['connect', 'read', 'write', 'status', 'timeout'];
  const failed = kinds.flatMap((kind, index) => (errors[index] ? [`${errors[index]} ${kind}`] : []));
  if (failed.length > 0) throw new Error(`requests failed: ${failed.join(', ')}`);
  if (requests === 0) throw new Error('no request was answered');
  const seconds = durationMicros / 1e6;
  return { requests, seconds, requestsPerSecond: requests / seconds, p50Micros, p99Micros };
}

/** Loads a program for some seconds. */
export async function runWrk(program: Program, options: WrkOptions): Promise<WrkResult> {
  const script = join(options.directory, `${program.name.replaceAll(/\W/g, '-')}-${options.body.length}.lua`);
  writeFileSync(script, wrkScript(options.body, program.headers));
  const url = `${program.origin}/v1/chat/completions`;
  const load = `-t1 -c${options.connections} -d${options.seconds}s --timeout 30s`.split(' ');
  const args = ['-c', String(options.core), 'wrk', ...load, '-s', script, url];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  try {
    return parseWrk(output);
  } catch (error) {
    throw new Error(`${program.name} under wrk: ${(error as Error).message}`, { cause: error });
  }
}
