/** A client of ours with a fault server behind it, for tests of the client. */
import { test } from 'node:test';
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

/** Who speaks HTTP for the client. */
export type Transport = 'codec' | 'node';

/** A test that runs on one transport. */
export type OnTransport = { readonly t: TestContext; readonly transport: Transport };

/** Declares a test of the client once for each transport. */
export function testOnBoth(name: string, run: (on: OnTransport) => Promise<void>): void {
  for (const transport of ['codec', 'node'] as const) {
    test(`${name} (${transport})`, (t) => run({ t, transport }));
  }
}

/** Starts both; they are closed when the test ends. */
export async function startAsking({ t, transport }: OnTransport, script: Script): Promise<Asking> {
  const upstream = await startUpstream(script);
  const client = createUpstreamClient({ transport, tickMs: 5 });
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
