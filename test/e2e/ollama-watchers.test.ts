/** A thousand watch one download over SSE: the host is asked once, and everybody sees the same end. */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';

import { hasEnded } from '../../src/ollama/jobs/follow-job.ts';
import { startManaged } from '../managed-program.ts';
import { pullLines } from '../scripted-ollama-models.ts';
import { startScriptedOllama } from '../scripted-ollama.ts';

const WATCHERS = 1_000;
const LLAMA = { name: 'llama3' };

test('a thousand who watch a job over SSE cost one upstream stream', async () => {
  await using ollama = await startScriptedOllama({ registry: [LLAMA] });
  await using obelisk = await startManaged(ollama.url);
  ollama.next('/api/pull', { kind: 'stalls', lines: pullLines(LLAMA).slice(0, 3) });
  const { id } = await obelisk.startJob({ kind: 'pull', model: 'llama3' });
  const agent = new Agent({ keepAlive: false });
  const headers = obelisk.headers();
  const watch = async (): Promise<Watcher> => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${obelisk.url}/ollama/job-events/${id}`, { agent, headers }, resolve).on('error', reject);
    });
    assert.equal(response.statusCode, 200);
    return read(response);
  };
  const watchers: Watcher[] = [];
  for (let count = 0; count < WATCHERS; count += 50) {
    watchers.push(...(await Promise.all(Array.from({ length: 50 }, watch))));
  }
  await Promise.all(watchers.map(({ begun }) => begun));
  assert.equal(ollama.inFlight('/api/pull'), 1);
  // The transfer breaks, is tried again with the thousand still there, and ends well.
  await ollama.kill();
  await ollama.revive();
  const job = await obelisk.until(id, hasEnded);
  assert.equal(job.state, 'done', JSON.stringify(job));
  const ends = await Promise.all(watchers.map(({ last }) => last));
  assert.deepEqual(new Set(ends).size, 1);
  assert.deepEqual(JSON.parse(ends[0] ?? ''), job);
  assert.equal(ollama.sent('/api/pull').length, job.attempts);
});

type Watcher = {
  /** Resolves at the first event. */
  readonly begun: Promise<void>;
  /** The data of the last event, once the stream has ended. */
  readonly last: Promise<string>;
};

function read(response: IncomingMessage): Watcher {
  const first = Promise.withResolvers<void>();
  const collect = async (): Promise<string> => {
    let text = '';
    for await (const piece of response.setEncoding('utf8') as AsyncIterable<string>) {
      text += piece;
      if (text.includes('data: ')) first.resolve();
    }
    return text.trimEnd().split('data: ').at(-1) ?? '';
  };
  return { begun: first.promise, last: collect() };
}
