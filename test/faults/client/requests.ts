/** Requests as bytes. */
import assert from 'node:assert/strict';
import type { RawAnswer } from './raw-client.ts';

/** Parts of a chat request that a case may choose. */
export type ChatParts = {
  readonly model: string;
  readonly says: string;
  readonly stream: boolean;
  /** More fields of the body. */
  readonly more?: Readonly<Record<string, unknown>>;
};

/** The JSON of a chat request. */
export function chatBody({ model, says, stream, more = {} }: ChatParts): string {
  return JSON.stringify({ model, stream, messages: [{ role: 'user', content: says }], ...more });
}

/** A POST of JSON with its length; `headers` are whole lines. */
export function post(
  body: string | Uint8Array,
  headers: readonly string[] = [],
  path: string = CHAT,
): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(postHead([`Content-Length: ${bytes.length}`, ...headers], path), 'latin1'),
    bytes,
  ]);
}

/** The head of such a POST, without any framing of a body but what `headers` say. */
export function postHead(headers: readonly string[], path: string = CHAT): string {
  return [`POST ${path} HTTP/1.1`, 'Host: localhost', JSON_TYPE, ...headers, '', ''].join('\r\n');
}

/** A GET; `headers` are whole lines. */
export function get(path: string, headers: readonly string[] = []): string {
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
}

/** The path of chat requests. */
export const CHAT = '/v1/chat/completions';

const JSON_TYPE = 'Content-Type: application/json';

/** Asks for the connection to be closed after the answer. */
export const CLOSE = 'Connection: close';

/** What a refusal must look like. */
export type Refusal = { readonly status: number; readonly code: string; readonly param?: string };

/** Asserts that an answer is an error in OpenAI's shape, with status and code. */
export function assertRefused(answer: RawAnswer | undefined, { status, code, param }: Refusal): void {
  assert.ok(answer, 'there is an answer');
  assert.equal(answer.status, status, answer.body);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  const { error } = JSON.parse(answer.body) as { error: Record<string, unknown> };
  assert.deepEqual(Object.keys(error).toSorted(), ['code', 'message', 'param', 'type']);
  assert.equal(error['code'], code);
  assert.equal(typeof error['type'], 'string');
  assert.ok(String(error['message']).length > 10, 'the message says something');
  if (param !== undefined) assert.equal(error['param'], param);
}
