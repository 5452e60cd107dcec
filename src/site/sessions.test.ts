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

type Caller = Parameters<ReturnType<typeof createSessions>['valid']>[0];

function caller(headers: Record<string, string> = {}, remoteAddress = '10.0.0.1'): Caller {
  return { remoteAddress, header: (name) => headers[name] };
}

const pairOf = (setCookie: string): string => setCookie.split(';')[0] ?? '';

test('the right key opens a session that only its own cookie carries', () => {
  const sessions = sessionsAt({ now: 0 });
  const cookie = sessions.open('sk-right', caller());
  assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/);
  assert.ok(sessions.valid(caller({ cookie: `theme=dark; ${pairOf(cookie)}` })));
  assert.ok(!sessions.valid(caller({ cookie: `${pairOf(cookie)}x` })));
  assert.ok(!sessions.valid(caller({ cookie: 'obelisk_session=' })));
  assert.ok(!sessions.valid(caller()));
});

test('a session ends after a week, and when it is ended', () => {
  const clock = { now: 0 };
  const sessions = sessionsAt(clock);
  const first = pairOf(sessions.open('sk-right', caller()));
  const second = pairOf(sessions.open('sk-right', caller()));
  assert.match(sessions.end(caller({ cookie: first })), /^obelisk_session=; .*Max-Age=0$/);
  assert.ok(!sessions.valid(caller({ cookie: first })));
  assert.ok(sessions.valid(caller({ cookie: second })));
  clock.now = 7 * 24 * HOUR_MS;
  assert.ok(!sessions.valid(caller({ cookie: second })));
});

test('two servers on one machine do not sign each other’s page out', () => {
  const [one, other] = [sessionsAt({ now: 0 }), sessionsAt({ now: 0 })];
  const first = pairOf(one.open('sk-right', caller({ host: '127.0.0.1:4000' })));
  const second = pairOf(other.open('sk-right', caller({ host: '127.0.0.1:4001' })));
  assert.notEqual(first.split('=')[0], second.split('=')[0], 'a browser keeps both');
  const cookie = `${first}; ${second}`;
  assert.ok(one.valid(caller({ host: '127.0.0.1:4000', cookie })));
  assert.ok(other.valid(caller({ host: '127.0.0.1:4001', cookie })));
  assert.match(other.end(caller({ host: '127.0.0.1:4001', cookie })), /^obelisk_session_4001=;/);
  assert.ok(one.valid(caller({ host: '127.0.0.1:4000', cookie: first })));
});

test('two sessions never share a token', () => {
  const sessions = sessionsAt({ now: 0 });
  assert.notEqual(sessions.open('sk-right', caller()), sessions.open('sk-right', caller()));
});

test('an address has twenty guesses a minute, and another is not held up by it', () => {
  const clock = { now: 0 };
  const sessions = sessionsAt(clock);
  const codeOf = (key: string, address: string): string => {
    try {
      sessions.open(key, caller({}, address));
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
    () => sessionsAt({ now: 0 }).open('my guess', caller()),
    (error) => error instanceof Error && !/my guess|sk-right/.test(error.message),
  );
});

test('a cookie alone reads, and changes something only with the page’s own header', () => {
  const sessions = sessionsAt({ now: 0 });
  const cookie = pairOf(sessions.open('sk-right', caller()));
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
  assert.throws(() => sessions.open('', caller()));
});
