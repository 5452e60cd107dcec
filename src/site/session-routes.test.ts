import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { isObeliskError } from '../shared/errors.ts';
import { Secret } from '../shared/secret.ts';
import { callInProcess, type InProcessResponse } from '../wire/in-process.ts';
import { endSessionHandler, openSessionHandler } from './session-routes.ts';
import { createSessions } from './sessions.ts';

const path = '/obelisk/v1/session';
const json = { 'content-type': 'application/json; charset=utf-8' };
const options = { now: () => 0, random: randomBytes };
const locked = createSessions({ ...options, masterKey: new Secret('sk-right') });

function post(
  body: string,
  headers: Record<string, string> = json,
  sessions = locked,
): Promise<InProcessResponse> {
  return callInProcess(openSessionHandler(sessions), { method: 'POST', path, headers, body });
}

const refusedAs =
  (code: string) =>
  (error: unknown): boolean =>
    isObeliskError(error) && error.code === code;

describe('a session over HTTP', () => {
  it('opens with the key and ends when asked', async () => {
    const opened = await post('{"key":"sk-right"}');
    assert.equal(opened.status, 204);
    const cookie = opened.headers['set-cookie']?.split(';')[0] ?? '';
    const caller = { header: () => cookie, remoteAddress: '' };
    assert.ok(locked.valid(caller));
    const ended = await callInProcess(endSessionHandler(locked), {
      method: 'DELETE',
      path,
      headers: { cookie },
    });
    assert.match(ended.headers['set-cookie'] ?? '', /Max-Age=0/);
    assert.ok(!locked.valid(caller));
  });

  it('does not open with another key', async () => {
    await assert.rejects(post('{"key":"sk-wrong"}'), refusedAs('invalid_api_key'));
  });

  it('is not needed where no key is set', async () => {
    const { status, headers } = await post('{"key":"any"}', json, createSessions(options));
    assert.equal(status, 204);
    assert.equal(headers['set-cookie'], undefined);
  });

  for (const type of ['text/plain', 'application/jsonx', 'multipart/form-data', undefined]) {
    it(`takes no ${type ?? 'untyped body'}, which a form of another site can send`, async () => {
      const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
      await assert.rejects(post('{"key":"sk-right"}', headers), refusedAs('unsupported_media_type'));
    });
  }

  for (const body of ['', '{', '[]', 'null', '{"key":7}', '{}']) {
    it(`refuses the body ${JSON.stringify(body)}`, async () => {
      await assert.rejects(post(body), refusedAs('invalid_request'));
    });
  }

  it('takes no long body', async () => {
    await assert.rejects(post(JSON.stringify({ key: 'a'.repeat(5_000) })), refusedAs('payload_too_large'));
  });
});
