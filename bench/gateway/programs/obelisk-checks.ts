import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestBody } from '../bodies.ts';
import type { Program } from '../processes.ts';
import { askOnce } from '../warm-up.ts';
import { DEPLOYMENTS } from './obelisk.ts';

/** Enough that chance leaves out one of three deployments once in a million starts. */
const REQUESTS = 40;
/** Log lines are written in batches. */
const LOG_MS = 3_000;

/**
 * Makes sure that what is measured is all switched on: keys are checked, every deployment gets its
 * share, each request has a line in the log and counts in the metrics, and no key of the
 * configuration is without effect.
 * @throws Error that names what is off.
 */
export async function requireEverythingOn(program: Program): Promise<void> {
  const body = requestBody(1_024, false);
  const refused = await askOnce({ ...program, headers: { authorization: 'Bearer wrong' } }, body);
  if (refused.status !== 401) throw new Error(`a wrong key is answered with ${refused.status}`);
  const deployments = new Set<unknown>();
  for (let count = 0; count < REQUESTS; count += 1) {
    const { headers } = await askOnce(program, body);
    deployments.add(headers['x-obelisk-deployment']);
  }
  if (deployments.size !== DEPLOYMENTS || deployments.has(undefined))
    throw new Error(`requests went to ${[...deployments].join(', ')}, not to ${DEPLOYMENTS} deployments`);
  await requireLog(program.log);
  const counted = Number(
    /^obelisk_requests_total\{.*outcome="ok"\} (\d+)$/m.exec(await metricsOf(program))?.[1],
  );
  if (!(counted >= REQUESTS)) throw new Error(`the metrics count ${counted} requests`);
}

async function requireLog(file: string): Promise<void> {
  const deadline = performance.now() + LOG_MS;
  for (;;) {
    const log = readFileSync(file, 'utf8');
    if (log.includes('no effect yet')) throw new Error('a key of the configuration has no effect');
    const lines = log.match(/"message":"request".*"status":200/g)?.length ?? 0;
    if (lines >= REQUESTS) return;
    if (performance.now() > deadline) throw new Error(`${REQUESTS} requests left ${lines} lines in the log`);
    await sleep(50);
  }
}

function metricsOf(program: Program): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request(`${program.origin}/metrics`, { agent: false, headers: program.headers }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('end', () => resolve(text));
  })
    .on('error', reject)
    .end();
  return promise;
}
