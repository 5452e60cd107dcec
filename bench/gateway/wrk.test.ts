import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWrk, wrkScript } from './wrk.ts';

const output = (line: string): string =>
  `Running 2s test @ http://127.0.0.1:1/v1\n  1 threads and 32 connections\n  Latency  1.2ms\nRequests/sec: 42.0\n${line}\n`;

test('figures come in plain units whatever units wrk prints', () => {
  const result = parseWrk(output('wrk-result 100000 2000000 604 989 0 0 0 0 0'));
  assert.deepEqual(result, {
    requests: 100_000,
    seconds: 2,
    requestsPerSecond: 50_000,
    p50Micros: 604,
    p99Micros: 989,
  });
});

test('a run with failed requests has no figures', () => {
  assert.throws(
    () => parseWrk(output('wrk-result 100 2000000 604 989 0 2 0 31 0')),
    /requests failed: 2 read, 31 status/,
  );
});

test('a run without requests, or without the line of figures, is refused', () => {
  assert.throws(() => parseWrk(output('wrk-result 0 2000000 0 0 0 0 0 0 0')), /no request was answered/);
  assert.throws(() => parseWrk('unable to connect'), /no figures: unable to connect/);
  assert.throws(() => parseWrk(output('wrk-result 1 2')), /no figures/);
});

test('a script sends the body and every header, and costs no Lua per request', () => {
  const script = wrkScript('{"a":"b"}', { authorization: 'Bearer sk "x"' });
  assert.match(script, /wrk\.body = \[==\[\{"a":"b"\}\]==\]/);
  assert.match(script, /wrk\.headers\["authorization"\] = "Bearer sk \\"x\\""/);
  assert.doesNotMatch(script, /function (request|response)/);
  assert.throws(() => wrkScript('"]==]"', {}), /end of a Lua string/);
});
