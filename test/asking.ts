/** A client of ours with a fault server behind it, for tests of the client. */
import type { TestContext } from 'node:test';
import { createUpstreamClient } from '../src/wire/upstream-client.ts';
import { REMOTE_CLOCKS } from '../src/wire/upstream.ts';
import type { Clocks, UpstreamClient, UpstreamRequest } from '../src/wire/upstream.ts';
import { startUpstream } from './upstream.ts';
import type { Script, TestUpstream } from './upstream.ts';

/** The pair, and a request that fits it. */
export type Asking = {
  readonly client: UpstreamClient;
  readonly upstream: TestUpstream;
  /** A POST whose query must not appear in messages. */
  readonly request: UpstreamRequest;
  /** Sends the request and reads its whole answer, of at most 32 MiB. */
  ask(clocks?: Partial<Clocks>): Promise<string>;
};

/** Starts both; they are closed when the test ends. */
export async function startAsking(t: TestContext, script: Script): Promise<Asking> {
  const upstream = await startUpstream(script);
  const client = createUpstreamClient({ tickMs: 5 });
  t.after(async () => {
    await client.close();
    await upstream.close();
  });
  const request: UpstreamRequest = {
    origin: upstream.origin,
    path: '/v1/x?key=hidden',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    clocks: REMOTE_CLOCKS,
  };
  const ask = async (clocks: Partial<Clocks> = {}): Promise<string> => {
    const response = await client.request({ ...request, clocks: { ...REMOTE_CLOCKS, ...clocks } });
    return (await response.bytes(32 * 1024 * 1024)).toString();
  };
  return { client, upstream, request, ask };
}
