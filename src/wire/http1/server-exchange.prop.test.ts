import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { answerWithCodecServer } from '../../../test/fuzz/codec-server.ts';
import { ResponseOracle } from '../../../test/fuzz/response-oracle.ts';

const oracle = new ResponseOracle();
const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  // More than is copied to leave in one write.
  fc.constantFrom('é'.repeat(40_000), Buffer.alloc(70_000, 'x')),
);
const plan = fc.record({
  status: fc.constantFrom(200, 201, 400, 404, 429, 500, 503, 599),
  pieces: fc.array(piece, { maxLength: 4 }),
  lengthKnown: fc.boolean(),
  withEnd: fc.boolean(),
  late: fc.boolean(),
});

test('what a handler answers is what Node reads from the connection, in one response that leaves it open', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ status, pieces, lengthKnown, withEnd, late }) => {
      const body = Buffer.concat(pieces.map((part) => Buffer.from(part)));
      const headers = {
        'content-type': 'text/plain; charset="é"',
        ...(lengthKnown ? { 'content-length': String(body.length) } : {}),
      };
      const sent = await answerWithCodecServer(async (_request, response) => {
        response.head(status, headers);
        if (late) await new Promise((resolve) => setImmediate(resolve));
        const last = withEnd ? pieces.at(-1) : undefined;
        for (const part of withEnd ? pieces.slice(0, -1) : pieces) response.write(part);
        response.end(last);
      });
      const { response, refusal } = await oracle.read({ method: 'GET', pieces: [sent], ending: 'open' });
      assert.equal(refusal, undefined);
      assert.equal(response?.status, status);
      assert.equal(response.body, body.toString('latin1'));
      assert.ok(response.complete);
      assert.ok(response.keepAlive);
      const seen = Object.fromEntries(
        response.headers.flatMap((text, at, all) => (at % 2 === 0 ? [[text, all[at + 1]]] : [])),
      );
      assert.deepEqual(seen, {
        ...headers,
        ...(lengthKnown ? {} : { 'transfer-encoding': 'chunked' }),
        connection: 'keep-alive',
        'keep-alive': 'timeout=3600',
      });
    }),
    { numRuns: 200 },
  );
});
