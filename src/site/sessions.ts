import { createHash, timingSafeEqual } from 'node:crypto';
import { ObeliskError } from '../shared/errors.ts';
import type { Secret } from '../shared/secret.ts';
import type { HttpRequest } from '../wire/http.ts';

const COOKIE = 'obelisk_session';
const LIFETIME_MS = 7 * 24 * 3_600_000;
const MOST_SESSIONS = 1_000;
const ATTEMPTS_PER_MINUTE = 20;
const MINUTE_MS = 60_000;
const MOST_ADDRESSES = 10_000;

/** Header that the page sends with whatever changes something: a form of another site cannot. */
const PAGE_HEADER = 'x-obelisk-page';

/** What sessions need from outside. */
export type SessionOptions = {
  /** Absent: nobody needs a session. */
  readonly masterKey?: Secret;
  /** Milliseconds of any steady clock. */
  readonly now: () => number;
  /** Unpredictable bytes. */
  readonly random: (bytes: number) => Buffer;
};

type Caller = Pick<HttpRequest, 'header' | 'remoteAddress'>;

/** Sessions of the page: opened with the master key, kept in memory, carried by a cookie no script can read. */
export type Sessions = {
  /** Whether a master key is set. */
  readonly required: boolean;
  /**
   * Exchanges the master key for the value of a `set-cookie` header.
   * @throws ObeliskError `invalid_api_key`, `rate_limited`.
   */
  open(key: string, request: Caller): string;
  /** Ends the session of a request; the result is the `set-cookie` value that removes its cookie. */
  end(request: Caller): string;
  /** Whether a request carries a running session; always false when no key is set. */
  valid(request: Caller): boolean;
  /** Whether the cookie of a request is enough for it: a session, and the page's own header unless it only reads. */
  authorizes(request: HttpRequest): boolean;
};

/** Makes the sessions of one server. */
export function createSessions(options: SessionOptions): Sessions {
  const { masterKey, now, random } = options;
  const expiryByDigest = new Map<string, number>();
  const limiter = createLimiter(now);
  const wanted = masterKey === undefined ? undefined : sha256(masterKey.reveal());

  const valid = (request: Caller): boolean => {
    const digest = digestOf(request);
    const expiry = digest === undefined ? undefined : expiryByDigest.get(digest);
    return expiry !== undefined && now() < expiry;
  };

  return {
    required: wanted !== undefined,
    open(key, request) {
      limiter.take(request.remoteAddress);
      if (wanted === undefined || !timingSafeEqual(sha256(key), wanted)) {
        throw new ObeliskError(
          'invalid_api_key',
          'this is not the master key; enter the one in the configuration',
        );
      }
      const token = random(32).toString('base64url');
      prune(expiryByDigest, now());
      expiryByDigest.set(sha256(token).toString('base64url'), now() + LIFETIME_MS);
      return `${cookieName(request)}=${token}${attributes(LIFETIME_MS / 1000)}`;
    },
    end(request) {
      const digest = digestOf(request);
      if (digest !== undefined) expiryByDigest.delete(digest);
      return `${cookieName(request)}=${attributes(0)}`;
    },
    valid,
    authorizes: (request) =>
      valid(request) &&
      (request.method === 'GET' || request.method === 'HEAD' || request.header(PAGE_HEADER) !== undefined),
  };
}

/**
 * Cookies belong to a host, whatever its port (RFC 6265 §8.5): the port as the browser knows it is in
 * the name, so that two servers of one machine do not sign each other's page out.
 */
function cookieName(request: Caller): string {
  const port = /:(\d{1,5})$/.exec(request.header('host') ?? '')?.[1];
  return port === undefined ? COOKIE : `${COOKIE}_${port}`;
}

function attributes(maxAgeSeconds: number): string {
  return `; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}`;
}

/** Only digests are kept and compared, so that neither a memory image nor timing gives a token away. */
function digestOf(request: Caller): string | undefined {
  const wanted = cookieName(request);
  for (const pair of request.header('cookie')?.split(';') ?? []) {
    const [name, value] = pair.split('=', 2);
    if (name?.trim() === wanted && value) return sha256(value.trim()).toString('base64url');
  }
  return undefined;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function prune(expiryByDigest: Map<string, number>, at: number): void {
  for (const [digest, expiry] of expiryByDigest) {
    if (expiry <= at || expiryByDigest.size >= MOST_SESSIONS) expiryByDigest.delete(digest);
  }
}

/** Bounds guesses per address and minute. A table full of addresses is an attack: new ones then wait. */
function createLimiter(now: () => number): { take(address: string): void } {
  const attempts = new Map<string, { count: number; until: number }>();
  return {
    take(address) {
      const at = now();
      if (attempts.size >= MOST_ADDRESSES) {
        for (const [key, entry] of attempts) if (entry.until <= at) attempts.delete(key);
      }
      let entry = attempts.get(address);
      if (entry === undefined || entry.until <= at) {
        const full = attempts.size >= MOST_ADDRESSES && entry === undefined;
        if (full) throw tooMany(MINUTE_MS);
        entry = { count: 0, until: at + MINUTE_MS };
        attempts.set(address, entry);
      }
      entry.count += 1;
      if (entry.count > ATTEMPTS_PER_MINUTE) throw tooMany(entry.until - at);
    },
  };
}

function tooMany(waitMs: number): ObeliskError {
  const retryAfter = Math.ceil(waitMs / 1000);
  return new ObeliskError(
    'rate_limited',
    `too many attempts to sign in; wait ${retryAfter} s and try again`,
    {
      retryAfter,
    },
  );
}
