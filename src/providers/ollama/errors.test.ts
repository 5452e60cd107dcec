import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ollamaError } from './errors.ts';

const host = 'http://127.0.0.1:11434';
const code = (status: number | undefined, text: string): string =>
  ollamaError({ text, host, model: 'm:latest', ...(status === undefined ? {} : { status }) }).code;

test('texts of several versions map to one code each', () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [400, 'the input length exceeds the context length', 'context_length_exceeded'],
    [500, 'input exceeds maximum context length', 'context_length_exceeded'],
    [400, 'request (600 tokens) exceeds the available context size (256 tokens)', 'context_length_exceeded'],
    [400, '"tinyembed" does not support chat', 'unsupported'],
    [400, 'registry.ollama.ai/library/tiny:latest does not support tools', 'unsupported'],
    [400, '"tiny" does not support thinking', 'unsupported'],
    [404, "model 'nope' not found", 'model_not_found'],
    [404, 'model "nope" not found, try pulling it first', 'model_not_found'],
    [503, 'server busy, please try again.  maximum pending requests exceeded', 'overloaded'],
    [500, 'option "num_ctx" must be of type integer', 'invalid_request'],
    [400, 'invalid JSON schema in format', 'invalid_request'],
    [401, 'unauthorized', 'upstream_auth'],
    [403, '', 'upstream_auth'],
    [403, 'this key does not support that model', 'upstream_auth'],
    [429, 'too many requests', 'rate_limited'],
    [500, 'model requires more system memory (9 GiB) than is available (2 GiB)', 'upstream_error'],
    [500, 'quantization is only supported for F16, BF16 and F32 models', 'invalid_request'],
    [400, 'something new', 'invalid_request'],
    [418, 'something else', 'upstream_error'],
    // Proxies in front of it say so, with limits of their own.
    [402, 'payment required', 'invalid_request'],
    [413, 'request entity too large', 'payload_too_large'],
    [422, 'unprocessable', 'invalid_request'],
  ];
  for (const [status, text, expected] of cases) assert.equal(code(status, text), expected, text);
});

test('an error inside a stream, whose status is lost, is an upstream error unless its text says more', () => {
  assert.equal(code(undefined, 'unexpected EOF'), 'upstream_error');
  assert.equal(code(undefined, 'the input length exceeds the context length'), 'context_length_exceeded');
});

test('the message names the host and the remedy', () => {
  assert.equal(
    ollamaError({ status: 404, text: "model 'm' not found", host, model: 'm:latest' }).message,
    `ollama ${host}: model 'm' not found; get it with: ollama pull m:latest`,
  );
  assert.match(ollamaError({ status: 500, text: 'x\n'.repeat(500), host }).message, /^.{0,400}…$/);
  assert.match(ollamaError({ status: 500, text: ' ', host }).message, /an error without a text/);
});

test('a path that is not there says to check the address', () => {
  assert.match(
    ollamaError({ status: 404, text: 'HTTP 404 from /api/chat', host }).message,
    /; check that this address is an Ollama’s$/,
  );
});

test('who asks for a key is told apart from who asks for a sign-in', () => {
  const remedy = (key?: 'sent' | 'missing'): string =>
    ollamaError({ status: 401, text: 'x', host, ...(key === undefined ? {} : { key }) }).message;
  assert.match(remedy(), /run: ollama signin$/);
  assert.match(remedy('missing'), /set the api_key of that host$/);
  assert.match(remedy('sent'), /correct the api_key of that host$/);
});

test('what refuses a key is not quoted, because it may repeat the key', () => {
  for (const status of [401, 403]) {
    const { message } = ollamaError({ status, text: 'Incorrect API key: sk-canary', host });
    assert.doesNotMatch(message, /canary/);
    assert.match(message, new RegExp(`^ollama ${host} refused the request \\(${status}\\); `));
  }
  assert.doesNotMatch(ollamaError({ text: 'unauthorized: sk-canary', host }).message, /canary/);
});

test('what Ollama says is not our own words, whatever its code: it may quote the prompt', () => {
  const busy = ollamaError({ host: 'http://127.0.0.1:11434', status: 503, text: 'no slot for "my secret"' });
  assert.equal(busy.code, 'overloaded');
  assert.equal(busy.ownWords, false);
});
