import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { test } from 'node:test';
import { createNodeServer } from './node-server.ts';

test('a connection that cannot be taken is told, and the server goes on', async (context) => {
  const refusals: string[] = [];
  const server = createNodeServer({
    handler: (_request, response) => {
      response.head(200, {});
      response.end();
    },
    onError: (error) => assert.fail(String(error)),
    onAcceptError: ({ message }) => refusals.push(message),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  context.after(() => server.close(0));
  const started = Promise.withResolvers<Server>();
  const onStart = (message: unknown): void =>
    started.resolve((message as { readonly server: Server }).server);
  subscribe('http.server.request.start', onStart);
  context.after(() => unsubscribe('http.server.request.start', onStart));
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
  // What the system says then cannot be brought about at will.
  (await started.promise).emit('error', Object.assign(new Error('accept ENOBUFS'), { code: 'ENOBUFS' }));
  assert.deepEqual(refusals, ['accept ENOBUFS']);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
});
