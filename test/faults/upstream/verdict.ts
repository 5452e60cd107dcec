/** Reads an answer as a strict client of OpenAI's API does, and holds it against what a row demands. */
import assert from 'node:assert/strict';
import type { Expected } from './fault-case.ts';
import type { Mode } from './speech.ts';
import type { StrictAnswer } from './strict-client.ts';

/** What an answer says. */
export type Reading = {
  readonly text: string;
  /** Whether it says that it is finished. */
  readonly finished: boolean;
  readonly error?: WireError;
};

type WireError = { readonly message: string; readonly type: string; readonly code: string | null };

/** Throws AssertionError where an answer is not the one expected. */
export function judge(answer: StrictAnswer, expected: Expected, mode: Mode): Reading {
  const raw = answer.body.toString();
  const seen = `${answer.status} ${raw.slice(0, 600)}`;
  assert.match(answer.headers['x-request-id'] ?? '', /^req_/, `every answer has an id: ${seen}`);
  const streams = expected.sees === 'frame' || (expected.sees === 'answer' && mode === 'stream');
  const type = streams ? 'text/event-stream; charset=utf-8' : 'application/json; charset=utf-8';
  assert.equal(answer.headers['content-type'], type, seen);
  const reading = streams ? readStream(answer.body) : readJson(raw);
  assert.equal(answer.status, expected.sees === 'error' ? expected.status : 200, seen);
  if (expected.sees === 'answer') {
    assert.equal(reading.error, undefined, seen);
    assert.ok(reading.finished, `the answer says that it is finished: ${seen}`);
    // Some answers have megabytes, which nobody wants to read a difference of.
    assert.ok(reading.text === expected.text, `the text is not the one expected: ${seen}`);
    return reading;
  }
  assert.ok(reading.error, `a failure is told: ${seen}`);
  assert.equal(reading.finished, false, `what failed does not end like a finished answer: ${seen}`);
  assert.equal(reading.error.code, expected.code, seen);
  if (expected.sees === 'frame') {
    assert.equal(reading.text, expected.text, seen);
  } else {
    assert.equal(reading.error.type, typeOf(expected.status), seen);
    assertRetryAfter(answer.headers['retry-after'], expected.retryAfter);
  }
  return reading;
}

/** OpenAI's `type` of a status, from its error guide. */
function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

function assertRetryAfter(value: string | undefined, range: readonly [number, number] | undefined): void {
  if (range === undefined) {
    assert.equal(value, undefined, 'retry-after');
    return;
  }
  const [least, most] = range;
  assert.match(value ?? '', /^\d+$/, 'retry-after');
  assert.ok(Number(value) >= least && Number(value) <= most, `retry-after: ${value}`);
}

function readJson(text: string): Reading {
  const json: unknown = JSON.parse(text);
  const error = errorOf(json);
  if (error !== undefined) return { text: '', finished: false, error };
  const [choice] = listOf(fieldOf(json, 'choices'));
  const message = fieldOf(choice, 'message');
  return { text: textOf(fieldOf(message, 'content')), finished: hasEnd(choice) };
}

/** Every event must be JSON until `[DONE]`, which must be the last and only one. */
function readStream(body: Buffer): Reading {
  const events = dataOf(new TextDecoder().decode(body));
  assert.equal(events.at(-1), '[DONE]', `a stream ends with [DONE], not ${events.at(-1)}`);
  let text = '';
  let finished = false;
  let error: WireError | undefined;
  for (const data of events.slice(0, -1)) {
    const json: unknown = JSON.parse(data);
    assert.equal(error, undefined, 'nothing but [DONE] follows an error frame');
    error = errorOf(json);
    const [choice] = listOf(fieldOf(json, 'choices'));
    text += textOf(fieldOf(fieldOf(choice, 'delta'), 'content'));
    finished ||= hasEnd(choice);
  }
  return { text, finished, ...(error === undefined ? {} : { error }) };
}

/** The data of each event (WHATWG HTML, 9.2.6); what no blank line ended is no event. */
function dataOf(text: string): readonly string[] {
  const blocks = text.split(/\r\n\r\n|\n\n|\r\r/);
  assert.equal(blocks.pop(), '', 'the last event ends with a blank line');
  return blocks.flatMap((block) => {
    const lines = block.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
    return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')];
  });
}

function errorOf(json: unknown): WireError | undefined {
  const error = fieldOf(json, 'error');
  if (error === undefined) return undefined;
  const { message, type, code } = {
    message: fieldOf(error, 'message'),
    type: fieldOf(error, 'type'),
    code: fieldOf(error, 'code'),
  };
  assert.ok(typeof message === 'string' && message !== '', 'an error has a message');
  assert.ok(typeof type === 'string', 'an error has a type');
  assert.ok(typeof code === 'string' || code === null, 'an error has a code');
  return { message, type, code };
}

function hasEnd(choice: unknown): boolean {
  const reason = fieldOf(choice, 'finish_reason');
  return typeof reason === 'string' && reason !== '';
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
