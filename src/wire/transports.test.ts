import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ObeliskError, isObeliskError } from '../shared/errors.ts';
import type { Handler } from './http.ts';
import { callInProcess } from './in-process.ts';
import { createNodeServer } from './node-server.ts';
import type { OnError } from './node-server.ts';
import { createUpstreamClient } from './upstream-client.ts';
import { REMOTE_CLOCKS } from './upstream.ts';

type Call = {
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
};
type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer>;
};
type Transport = (t: TestContext, handler: Handler) => Promise<(call: Call) => Promise<Answer>>;

const onError: OnError = (error, _request, response) => {
  const text = isObeliskError(error) ? error.code : 'defect';
  if (response.started) response.end(`!${text}`);
  else {
    response.head(isObeliskError(error) ? error.status : 500, { 'content-type': 'text/plain' });
    response.end(text);
  }
};

const overSocket: (codecServes?: () => boolean) => Transport = (codecServes) => async (t, handler) => {
  const server = createNodeServer({
    handler,
    onError,
    ...(codecServes === undefined ? {} : { codecServes }),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const client = createUpstreamClient();
  t.after(async () => {
    await client.close();
    await server.close(0);
  });
  const origin = `http://127.0.0.1:${port}`;
  return ({ path, body, headers, signal }) =>
    client.request(
      { origin, path, method: 'POST', headers: headers ?? {}, body: body ?? '', clocks: REMOTE_CLOCKS },
      signal,
    );
};

const inProcess: Transport = async (_t, handler) => (call) =>
  callInProcess(handler, { method: 'POST', onError, ...call });

async function textOf(answer: Answer): Promise<string> {
  let text = '';
  for await (const bytes of answer.body) text += bytes.toString();
  return text;
}

const TRANSPORTS: Readonly<Record<string, Transport>> = {
  'over node:http': overSocket(),
  'over the codec': overSocket(() => true),
  'in process': inProcess,
};

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  test(`${name}, a handler sees the request and the caller its answer`, async (t) => {
    const call = await transport(t, async (request, response) => {
      const body = await request.body(100);
      const seen = [
        request.method,
        request.path,
        request.query,
        request.header('x-a'),
        request.header('x-b'),
        body.toString(),
      ];
      response.head(201, { 'content-type': 'text/plain', 'x-c': 'd' });
      assert.ok(response.started);
      assert.ok(!response.closed);
      response.write(Buffer.from('é'));
      response.end(JSON.stringify(seen));
      assert.ok(response.closed);
    });
    const answer = await call({ path: '/a%20b?c=d?e', body: 'ö', headers: { 'x-a': '1' } });
    assert.deepEqual([answer.status, answer.headers['x-c']], [201, 'd']);
    assert.equal(await textOf(answer), `é${JSON.stringify(['POST', '/a%20b', 'c=d?e', '1', null, 'ö'])}`);
  });

  test(`${name}, a handler may answer later, without a promise`, async (t) => {
    const call = await transport(t, (_request, response) => {
      setImmediate(() => {
        response.head(200, {});
        response.end('later');
      });
    });
    assert.equal(await textOf(await call({ path: '/' })), 'later');
  });

  test(`${name}, the head arrives before the first byte of a stream`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const call = await transport(t, async (_request, response) => {
      response.head(200, { 'content-type': 'text/event-stream' });
      await promise;
      response.end('late');
    });
    const answer = await call({ path: '/' });
    resolve(undefined);
    assert.equal(await textOf(answer), 'late');
  });

  test(`${name}, a failure before the head is answered by onError, thrown or rejected`, async (t) => {
    const call = await transport(t, (request) => {
      const error = new ObeliskError('model_not_found', 'no such model');
      if (request.path === '/throw') throw error;
      return request.path === '/reject' ? Promise.reject(error) : Promise.reject(new TypeError('x'));
    });
    for (const [path, status, text] of [
      ['/throw', 404, 'model_not_found'],
      ['/reject', 404, 'model_not_found'],
      ['/bug', 500, 'defect'],
    ] as const) {
      const answer = await call({ path });
      assert.deepEqual([answer.status, await textOf(answer)], [status, text]);
    }
  });

  test(`${name}, a failure after the head can still end the answer`, async (t) => {
    const call = await transport(t, async (_request, response) => {
      response.head(200, {});
      response.write('half');
      throw new ObeliskError('upstream_unreachable', 'gone');
    });
    assert.equal(await textOf(await call({ path: '/' })), 'half!upstream_unreachable');
  });

  test(`${name}, a destroyed answer fails its reader`, async (t) => {
    const call = await transport(t, (_request, response) => {
      response.head(200, {});
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    });
    const answer = await call({ path: '/' });
    await assert.rejects(textOf(answer), (error: unknown) => isObeliskError(error));
  });

  test(`${name}, a body over the limit is refused with 413, and the caller can read that`, async (t) => {
    const call = await transport(t, async (request, response) => {
      await request.body(1_000);
      response.end();
    });
    for (const length of [1_001, 3_000_000]) {
      const answer = await call({ path: '/', body: 'x'.repeat(length) });
      assert.deepEqual([answer.status, await textOf(answer)], [413, 'payload_too_large']);
    }
  });

  test(`${name}, a writer is told to wait, and when to go on`, async (t) => {
    let written = 0;
    const total = 20_000_000;
    const call = await transport(t, (_request, response) => {
      const chunk = Buffer.alloc(100_000);
      const fill = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.onDrain(fill);
            return;
          }
        }
        response.end();
      };
      response.head(200, {});
      fill();
    });
    const answer = await call({ path: '/' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(written < total, 'the writer waits for its reader');
    let read = 0;
    for await (const bytes of answer.body) read += bytes.length;
    assert.equal(read, total);
  });

  test(`${name}, the handler hears at once that its caller has gone, before and after the head`, async (t) => {
    for (const withHead of [false, true]) {
      const { promise: gone, resolve } = Promise.withResolvers<number>();
      const { promise: running, resolve: begin } = Promise.withResolvers<undefined>();
      const call = await transport(t, async (request, response) => {
        await request.body(100);
        request.onGone(() => assert.fail('a listener that was taken back is not called'))();
        request.onGone(() => {
          assert.ok(response.closed);
          resolve(performance.now());
        });
        if (withHead) response.head(200, {});
        if (withHead) response.write('a');
        begin(undefined);
      });
      const controller = new AbortController();
      const pending = call({ path: '/', signal: controller.signal }).then(textOf);
      await running;
      await new Promise((wake) => setTimeout(wake, 20));
      const started = performance.now();
      controller.abort();
      await assert.rejects(pending, { code: 'client_gone' });
      assert.ok((await gone) - started < 100);
    }
  });

  test(`${name}, a caller that stops reading has gone`, async (t) => {
    const { promise: gone, resolve } = Promise.withResolvers<undefined>();
    const call = await transport(t, (request, response) => {
      request.onGone(() => resolve(undefined));
      response.head(200, {});
      response.write('a');
    });
    for await (const bytes of (await call({ path: '/' })).body) {
      assert.equal(bytes.toString(), 'a');
      break;
    }
    await gone;
  });

  test(`${name}, what is written late is dropped, and who waits to write is woken`, async (t) => {
    const { promise: gone, resolve } = Promise.withResolvers<undefined>();
    const { promise: woken, resolve: wake } = Promise.withResolvers<undefined>();
    const call = await transport(t, async (request, response) => {
      request.onGone(() => resolve(undefined));
      response.head(200, {});
      response.write('a');
      await gone;
      response.write('b');
      response.end('c');
      response.end('d');
      request.onGone(() => assert.fail('a listener that was taken back is not called'))();
      request.onGone(() => response.onDrain(() => wake(undefined)));
    });
    for await (const bytes of (await call({ path: '/' })).body) {
      assert.equal(bytes.toString(), 'a');
      break;
    }
    await woken;
  });

  test(`${name}, nobody is told of a caller who has everything`, async (t) => {
    let told = false;
    const call = await transport(t, (request, response) => {
      request.onGone(() => {
        told = true;
      });
      response.head(200, { 'content-length': '2' });
      response.end('ok');
    });
    assert.equal(await textOf(await call({ path: '/' })), 'ok');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(!told);
  });
}

test('in process, a failure without onError rejects the call', async () => {
  const handler: Handler = () => Promise.reject(new ObeliskError('not_found', 'x'));
  await assert.rejects(callInProcess(handler, { method: 'GET', path: '/' }), { code: 'not_found' });
});

test('in process, a signal that outlives its calls keeps nothing of them', async () => {
  const { signal } = new AbortController();
  const handler: Handler = (_request, response) => {
    response.head(200, {});
    response.end('x');
  };
  const cut: Handler = () => {
    throw new ObeliskError('internal', 'a defect');
  };
  for (let count = 0; count < 3; count += 1) {
    await textOf(await callInProcess(handler, { method: 'GET', path: '/', signal }));
    await assert.rejects(callInProcess(cut, { method: 'GET', path: '/', signal }));
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
