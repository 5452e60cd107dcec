import { setTimeout as sleep } from 'node:timers/promises';
import { MODEL } from './bodies.ts';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { Program } from './processes.ts';

const PATIENCE_MS = 60_000;

/** A whole answer. */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
};

/** Asks once, on a connection of its own, and returns the whole answer. */
export function askOnce(program: Pick<Program, 'origin' | 'headers'>, body: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(
    `${program.origin}/v1/chat/completions`,
    {
      method: 'POST',
      agent: false,
      headers: {
        ...program.headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    },
    (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on('error', reject);
    },
  );
  sent.on('error', reject);
  sent.setTimeout(30_000, () => sent.destroy(new Error('no answer within 30 s')));
  sent.end(body);
  return promise;
}

/**
 * Asks until the program answers what the mock says: what answers something else would be measured
 * at doing something else.
 * @throws Error when it does not within a minute.
 */
export async function requireAnswer(program: Program, body: string, answerBytes: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let last = 'nothing';
  while (performance.now() < deadline) {
    try {
      const { status, text } = await askOnce(program, body);
      // A gateway may write the JSON anew; it may not lose what was said.
      if (status === 200 && text.length >= answerBytes * 0.9 && text.includes(MODEL)) return;
      last = `${status} ${text.slice(0, 300)}`;
    } catch (error) {
      last = String(error);
    }
    await sleep(200);
  }
  throw new Error(`it does not answer as the mock does, but: ${last}`);
}
