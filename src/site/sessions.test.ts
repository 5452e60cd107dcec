import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isObeliskError } from '../shared/errors.ts';
import { Secret } from '../shared/secret.ts';
import { createSessions } from './sessions.ts';

const HOUR_MS = 3_600_000;

function sessionsAt(clock: { now: number }): ReturnType<typeof createSessions> {
  return createSessions({ masterKey: new Secret('sk-right'), now: () => clock.now, random: randomBytes });
}

const pairOf = (setCookie: string): string => setCookie.split(';')[0] ?? '';

test('the right key opens a session that only its own cookie carries', () => {
  const sessions = sessionsAt({ now: 0 });
  const cookie = sessions.open('sk-right', '10.0.0.1');
  assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/);
  assert.ok(sessions.valid(`theme=dark; ${pairOf(cookie)}`));
  assert.ok(!sessions.valid(`${pairOf(cookie)}x`));
  assert.ok(!sessions.valid('obelisk_session='));
  assert.ok(!sessions.valid(undefined));
});

test('a session ends after a week, and when it is ended', () => {
  const clock = { now: 0 };
  const sessions = sessionsAt(clock);
  const first = pairOf(sessions.open('sk-right', 'a'));
  const second = pairOf(sessions.open('sk-right', 'a'));
  assert.match(sessions.end(first), /^obelisk_session=; .*Max-Age=0$/);
  assert.ok(!sessions.valid(first));
  assert.ok(sessions.valid(second));
  clock.now = 7 * 24 * HOUR_MS;
  assert.ok(!sessions.valid(second));
});

test('two sessions never share a token', () => {
  const sessions = sessionsAt({ now: 0 });
  assert.notEqual(sessions.open('sk-right', 'a'), sessions.open('sk-right', 'a'));
});

test('an address has twenty guesses a minute, and another is not held up by it', () => {
  const clock = { now: 0 };
  const sessions = sessionsAt(clock);
  const codeOf = (key: string, address: string): string => {
    try {
      sessions.open(key, address);
      return 'opened';
    } catch (error) {
      if (!isObeliskError(error)) throw error;
      return error.code;
    }
  };
  for (let guess = 0; guess < 20; guess += 1) assert.equal(codeOf(`guess ${guess}`, 'a'), 'invalid_api_key');
  assert.equal(codeOf('sk-right', 'a'), 'rate_limited');
  assert.equal(codeOf('sk-right', 'b'), 'opened');
  clock.now = 60_000;
  assert.equal(codeOf('sk-right', 'a'), 'opened');
});

test('a refusal names neither the key nor the guess', () => {
  assert.throws(
    () => sessionsAt({ now: 0 }).open('my guess', 'a'),
    (error) => error instanceof Error && !/my guess|sk-right/.test(error.message),
  );
});

test('a cookie alone reads, and changes something only with the page’s own header', () => {
  const sessions = sessionsAt({ now: 0 });
  const cookie = pairOf(sessions.open('sk-right', 'a'));
  const request = (
    method: string,
    headers: Record<string, string>,
  ): Parameters<typeof sessions.authorizes>[0] => ({
    method,
    path: '/v1/chat/completions',
    query: '',
    remoteAddress: 'a',
    header: (name) => headers[name],
    body: () => Promise.resolve(Buffer.alloc(0)),
    onGone: () => () => undefined,
  });
  assert.ok(sessions.authorizes(request('GET', { cookie })));
  assert.ok(!sessions.authorizes(request('POST', { cookie })));
  assert.ok(sessions.authorizes(request('POST', { cookie, 'x-obelisk-page': '1' })));
  assert.ok(!sessions.authorizes(request('POST', { 'x-obelisk-page': '1' })));
});

test('without a master key no session is needed and none can be opened', () => {
  const sessions = createSessions({ now: () => 0, random: randomBytes });
  assert.equal(sessions.required, false);
  assert.throws(() => sessions.open('', 'a'));
});
