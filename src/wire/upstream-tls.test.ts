import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { testOnBoth } from '../../test/asking.ts';
import type { OnTransport } from '../../test/asking.ts';
import { EXPIRED, MISNAMED, TEST_KEY, TRUSTED } from '../../test/certificates.ts';
import { createUpstreamClient } from './upstream-client.ts';
import { REMOTE_CLOCKS } from './upstream.ts';

type Ask = () => Promise<string>;

/** Asks an HTTPS server that shows `certificate`, trusting that certificate unless told otherwise. */
async function startTls(
  { t, transport }: OnTransport,
  certificate: string,
  trusted?: string,
): Promise<{ ask: Ask; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer({ key: TEST_KEY, cert: certificate }, (request, response) => {
    seen.push(request.headers.host ?? '');
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createUpstreamClient({
    transport,
    ...(trusted === undefined ? {} : { certificates: trusted }),
  });
  t.after(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `https://localhost:${port}`;
  const ask = async (): Promise<string> => {
    const headers = { authorization: 'Bearer secret' };
    const response = await client.request({
      origin,
      path: '/',
      method: 'GET',
      headers,
      clocks: REMOTE_CLOCKS,
    });
    return (await response.bytes(100)).toString();
  };
  return { ask, seen };
}

testOnBoth(
  'an upstream with a trusted certificate is asked over TLS, again on the same connection',
  async (on) => {
    const { ask, seen } = await startTls(on, TRUSTED, TRUSTED);
    assert.deepEqual([await ask(), await ask()], ['{}', '{}']);
    assert.match(seen[0] ?? '', /^localhost:\d+$/);
  },
);

for (const { name, certificate, trusted, reason } of [
  { name: 'an expired certificate', certificate: EXPIRED, trusted: EXPIRED, reason: /CERT_HAS_EXPIRED/ },
  {
    name: 'a certificate for another name',
    certificate: MISNAMED,
    trusted: MISNAMED,
    reason: /ERR_TLS_CERT_ALTNAME_INVALID/,
  },
  {
    name: 'a certificate nobody vouches for',
    certificate: TRUSTED,
    trusted: undefined,
    reason: /SELF_SIGNED/,
  },
]) {
  testOnBoth(`${name} is refused with its reason, and the key is not sent`, async (on) => {
    const { ask, seen } = await startTls(on, certificate, trusted);
    await assert.rejects(ask(), { code: 'upstream_invalid', message: reason });
    assert.deepEqual(seen, []);
  });
}
