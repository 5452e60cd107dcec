import assert from 'node:assert/strict';
import type { ClientCase, Trial } from './client-case.ts';
import { exchange, RawClient } from './raw-client.ts';
import type { RawAnswer } from './raw-client.ts';
import { assertRefused, chatBody, CLOSE, get, post } from './requests.ts';
import type { Refusal } from './requests.ts';

/** The key of the server that these cases run against. */
export const MASTER_KEY = 'sk-master-0123456789abcdef';

/** The configuration of that server. */
export const ACCESS_CONFIG: string = `general_settings: {master_key: ${MASTER_KEY}}`;

const WRONG_KEY = 'sk-master-0123456789abcdeg';
const BEARER = `Authorization: Bearer ${MASTER_KEY}`;
const X_API_KEY = `X-API-Key: ${MASTER_KEY}`;
const UNKNOWN: Refusal = { status: 401, code: 'invalid_api_key' };
const CONFLICT: Refusal = { status: 400, code: 'invalid_request' };
const FORBIDDEN: Refusal = { status: 403, code: 'forbidden' };

/** Asks for an answer of a model; `headers` are whole lines. */
async function ask({ arena, lane }: Trial, headers: readonly string[]): Promise<RawAnswer> {
  const body = chatBody({ model: lane.model, says: 'answer', stream: false });
  const [answer] = await exchange(arena.url, post(body, [CLOSE, ...headers]));
  assert.ok(answer);
  return answer;
}

type Credentials = {
  readonly fault: string;
  readonly headers: readonly string[];
  readonly refusal?: Refusal;
};

const CREDENTIALS: readonly Credentials[] = [
  { fault: 'sends no key', headers: [], refusal: UNKNOWN },
  { fault: 'sends a wrong key', headers: [`Authorization: Bearer ${WRONG_KEY}`], refusal: UNKNOWN },
  { fault: 'sends a key that is too long', headers: [`${BEARER}0`], refusal: UNKNOWN },
  { fault: 'sends an empty key', headers: ['Authorization: Bearer '], refusal: UNKNOWN },
  {
    fault: 'sends the key in another scheme',
    headers: [`Authorization: Basic ${MASTER_KEY}`],
    refusal: UNKNOWN,
  },
  { fault: 'sends the key as `Authorization`', headers: [BEARER] },
  { fault: 'writes the scheme in lower case', headers: [`authorization: bearer ${MASTER_KEY}`] },
  { fault: 'sends the key as `X-API-Key`', headers: [X_API_KEY] },
  { fault: 'sends one key in both headers', headers: [BEARER, X_API_KEY] },
  {
    fault: 'sends two keys in two headers, the first right',
    headers: [BEARER, `X-API-Key: ${WRONG_KEY}`],
    refusal: CONFLICT,
  },
  {
    fault: 'sends two keys in two headers, the second right',
    headers: [`Authorization: Bearer ${WRONG_KEY}`, X_API_KEY],
    refusal: CONFLICT,
  },
  {
    fault: 'sends `Authorization` twice, the first right',
    headers: [BEARER, `Authorization: Bearer ${WRONG_KEY}`],
    refusal: CONFLICT,
  },
  {
    fault: 'sends `Authorization` twice, the second right',
    headers: [`Authorization: Bearer ${WRONG_KEY}`, BEARER],
    refusal: CONFLICT,
  },
  { fault: 'sends `X-API-Key` twice', headers: [X_API_KEY, `X-API-Key: ${WRONG_KEY}`], refusal: CONFLICT },
];

const KEYS: readonly ClientCase[] = CREDENTIALS.map(({ fault, headers, refusal }) => ({
  row: 43,
  side: 'client',
  fault: `The client ${fault}.`,
  sees:
    refusal === undefined
      ? 'The answer.'
      : refusal.status === 401
        ? '401 `invalid_api_key`.'
        : '400 `invalid_request`: nobody has to guess which key counts.',
  modes: ['whole'],
  async check(trial) {
    const before = trial.lane.upstream.requests.length;
    const answer = await ask(trial, headers);
    if (refusal === undefined) {
      assert.equal(answer.status, 200, answer.body);
      return;
    }
    assertRefused(answer, refusal);
    assert.ok(!answer.body.includes('sk-'), 'no key is repeated');
    assert.equal(trial.lane.upstream.requests.length, before);
  },
}));

const HOSTS: readonly (readonly [fault: string, host: string, isOwn: boolean])[] = [
  ['a foreign name (DNS rebinding)', 'evil.example', false],
  ['a foreign name with our port', 'evil.example:4000', false],
  ['a foreign name that begins like ours', 'localhost.evil.example', false],
  ['a foreign name that ends like ours', 'evil-localhost', false],
  ['a loopback address inside a foreign name', '127.0.0.1.evil.example', false],
  ['a name with a user in it', 'localhost@evil.example', false],
  ['another machine’s address', '192.168.0.1', false],
  ['the address of cloud metadata', '169.254.169.254', false],
  ['nothing', '', false],
  ['`localhost`', 'localhost', true],
  ['`LOCALHOST` with a port', 'LOCALHOST:1', true],
  ['a loopback address', '127.0.0.1', true],
  ['the loopback address of IPv6', '[::1]:4000', true],
];

const HOST_CASES: readonly ClientCase[] = HOSTS.map(([what, host, isOwn]) => ({
  row: 46,
  side: 'client',
  fault: `The Host is ${what}.`,
  sees: isOwn ? 'The answer.' : '403 `forbidden`, whatever the key.',
  async check({ arena }) {
    const bytes = [`GET /v1/models HTTP/1.1`, `Host: ${host}`, BEARER, CLOSE, '', ''].join('\r\n');
    const [answer] = await exchange(arena.url, bytes);
    if (isOwn) assert.equal(answer?.status, 200, answer?.body);
    else assertRefused(answer, FORBIDDEN);
  },
}));

const ORIGINS: readonly (readonly [fault: string, origin: string, mayAsk: boolean])[] = [
  ['a foreign page', 'https://evil.example', false],
  ['a page without an origin of its own (a sandbox, a file)', 'null', false],
  ['a page on another port of this machine', 'http://localhost:9', false],
  ['a page of another scheme', 'ftp://localhost', false],
  ['Obsidian', 'app://obsidian.md', true],
];

const ORIGIN_CASES: readonly ClientCase[] = ORIGINS.flatMap(
  ([what, origin, mayAsk]): readonly ClientCase[] => [
    {
      row: 46,
      side: 'client',
      fault: `The request comes from ${what}.`,
      sees: mayAsk
        ? 'The answer, which that page may read.'
        : '403 `forbidden`, whatever the key; nothing that the page may read.',
      modes: ['whole'],
      async check(trial) {
        const before = trial.lane.upstream.requests.length;
        const answer = await ask(trial, [BEARER, `Origin: ${origin}`]);
        if (!mayAsk) assertRefused(answer, FORBIDDEN);
        assert.equal(answer.headers['access-control-allow-origin'], mayAsk ? origin : undefined);
        assert.equal(trial.lane.upstream.requests.length, before + (mayAsk ? 1 : 0));
      },
    },
    {
      row: 46,
      side: 'client',
      fault: `The browser asks on behalf of ${what} whether it may (preflight).`,
      sees: mayAsk ? '204, yes.' : '403 `forbidden`.',
      async check({ arena }) {
        const lines = [`OPTIONS /v1/models HTTP/1.1`, 'Host: localhost', CLOSE, `Origin: ${origin}`];
        const bytes = [...lines, 'Access-Control-Request-Method: GET', '', ''].join('\r\n');
        const [answer] = await exchange(arena.url, bytes);
        if (mayAsk) assert.equal(answer?.status, 204);
        else assertRefused(answer, FORBIDDEN);
        assert.equal(answer?.headers['access-control-allow-origin'], mayAsk ? origin : undefined);
      },
    },
  ],
);

/** Wrong keys from one address in a minute before it has to wait. */
const GUESSES = 20;

const GUESSING: ClientCase = {
  row: 42,
  side: 'client',
  fault: 'The client guesses keys.',
  sees: '401 `invalid_api_key` twenty times in a minute, then 429 `rate_limited` with `Retry-After` for every key, the right one too; other addresses go on.',
  async check({ arena }) {
    // An address of its own, so that its failures count for no other case.
    const guess = async (key: string, from: string): Promise<RawAnswer> => {
      const client = await RawClient.open(arena.url, from);
      client.write(get('/v1/models', [CLOSE, `Authorization: Bearer ${key}`]));
      return client.answer();
    };
    const statuses: number[] = [];
    for (let index = 0; index < GUESSES + 5; index += 1)
      statuses.push((await guess(`sk-guess-${index}`, '127.0.0.3')).status);
    assert.deepEqual(
      statuses.slice(0, GUESSES),
      Array.from({ length: GUESSES }, () => 401),
    );
    assert.deepEqual(
      statuses.slice(GUESSES),
      Array.from({ length: 5 }, () => 429),
    );
    const locked = await guess(MASTER_KEY, '127.0.0.3');
    assertRefused(locked, { status: 429, code: 'rate_limited' });
    const seconds = Number(locked.headers['retry-after']);
    assert.ok(seconds >= 1 && seconds <= 60, `retry-after ${seconds}`);
    assert.equal((await guess(MASTER_KEY, '127.0.0.4')).status, 200, 'another address goes on');
  },
};

/** Rows 42, 43 and 46. */
export const ACCESS: readonly ClientCase[] = [...KEYS, ...HOST_CASES, ...ORIGIN_CASES, GUESSING];
